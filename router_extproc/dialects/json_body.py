"""JSON request bodies as every dialect reads them: one strict, bounded reader and one canonical writer.

A body is refused or understood, never guessed, in time linear in its size. Error messages name the place
and never repeat what the client wrote.
Source: RFC 8259, sections 4 (names should be unique), 8.1 (UTF-8; a reader may ignore a byte order mark).
"""

from __future__ import annotations

import re
from typing import Final

import orjson

from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import JsonObject, JsonValue

#: One JSON string with its quotes. Possessive: no backtracking, so no memory and no time beyond its length.
JSON_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)

#: What a colon written as an escape begins with, \u003a or \u003A.
_ESCAPED_COLON_START: Final = rb"\u003"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def read_object(body: bytes) -> JsonObject:
    """The JSON object that `body` is; of members with the same name the last counts.

    Raises:
        MalformedRequest: no JSON, not UTF-8, half a surrogate pair, a number that no double holds, or more
            than 1024 levels deep. A byte order mark is passed over, as pools do.
    """
    try:
        document = orjson.loads(body.removeprefix(_BYTE_ORDER_MARK))
    except orjson.JSONDecodeError as error:
        # The cause holds the client's text, so it goes no further.
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedRequest(f"The body is not valid JSON in UTF-8 ({place}).") from None
    if type(document) is not dict:
        raise MalformedRequest("The body must be a JSON object.")
    return document


def canonical(value: JsonValue) -> bytes:
    """One byte form for equal values: sorted keys, no spaces, no newline.

    Raises:
        MalformedRequest: more than about 250 levels deep.
    """
    return _written(value, orjson.OPT_SORT_KEYS)


def _written(value: JsonValue, option: int | None = None) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError:
        raise MalformedRequest("The body is nested too deeply.") from None


def has_duplicate_members(body: bytes, document: JsonObject) -> bool:
    """True when an object in `body`, at any depth, names a member twice.

    Readers differ in which one counts, so what this package read may not be what the pool reads.
    `document` is what `read_object` made of the body.
    """
    kept = _written(document)
    if _ESCAPED_COLON_START in body:
        return _members(body) != _members(kept)
    # Both hold the same strings, so the colons in them weigh the same; a dropped member takes one along.
    return body.count(b":") != kept.count(b":")


def _members(body: bytes) -> int:
    """How many members all objects have: outside strings a colon stands only after a name."""
    return JSON_STRING.sub(b"", body).count(b":")
