"""Editing a JSON request body in place: only the spans that change are touched.

It is not a serialiser: whitespace, key order, escapes and doubled members stay as the client sent
them. The rule it keeps: one pass in C over the bytes; Python sees only members of the wanted name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import orjson

from router_extproc.dialects.base import BodyEdit
from router_extproc.dialects.json_body import JSON_STRING


def _member_pattern(name: str) -> re.Pattern[bytes]:
    """Finds members called `name` (ASCII letters), each letter plain or as a unicode escape.

    In valid JSON a quote that follows none of `{`, `,` and space is not the start of a name, and one
    that does cannot be the end of a string with these letters behind it: so no match lies inside one.
    """
    letters = "".join(rf"(?:{letter}|\\u(?i:{ord(letter):04x}))" for letter in name)
    return re.compile(rf'"(?<=[{{,\s]"){letters}"\s*+:\s*+'.encode())


_MODEL: Final = _member_pattern("model")


def edit_body(body: bytes, edit: BodyEdit) -> bytes:
    """The body with the edit applied; `body` is a valid JSON object whose models are strings."""
    model = orjson.dumps(edit.model)
    pieces = []
    copied = 0
    for start, end in _model_spans(body):
        pieces += [body[copied:start], model]
        copied = end
    pieces.append(body[copied:])
    return _add_members(b"".join(pieces), edit)


def models_are_strings(body: bytes) -> bool:
    """Whether each top-level member "model" of a valid JSON object is a string, doubled ones included."""
    return all(body.startswith(b'"', start) for start in _model_values(body))


def _model_spans(body: bytes) -> Iterator[tuple[int, int]]:
    """The span of each top-level "model" that is a string, in order."""
    values = (JSON_STRING.match(body, start) for start in _model_values(body))
    return (value.span() for value in values if value is not None)


def _model_values(body: bytes) -> Iterator[int]:
    """Where each top-level "model" value begins, in order."""
    depth = scanned = 0
    for member in _MODEL.finditer(body):
        depth += _depth_change(body[scanned : member.start()])
        scanned = member.start()
        if depth == 1:
            yield member.end()


def _depth_change(tokens: bytes) -> int:
    """Brackets opened less brackets closed; `tokens` starts and ends outside strings."""
    bare = JSON_STRING.sub(b"", tokens)
    return bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")


def _add_members(body: bytes, edit: BodyEdit) -> bytes:
    """The members that the client did not give, right after the opening brace."""
    if not edit.add:
        return body
    given = orjson.loads(body)
    members = [
        orjson.dumps(name) + b":" + orjson.dumps(value) + b","
        for name, value in edit.add.items()
        if name not in given
    ]
    first = body.index(b"{") + 1
    return b"".join([body[:first], *members, body[first:]])
