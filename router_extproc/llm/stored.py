"""The bytes in which an answer is kept in the cache: a version and the dialect's document as JSON.

The entry beside them names the dialect, which reads the facts out of the document again: stored, they
would hold every text twice. Headers of the pool's answer that a replay repeats come before the document.
Bytes of an unknown version and damaged bytes are refused, never half read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import orjson

from router_extproc.llm.answer import Answer, JsonObject, JsonValue

#: First byte of every stored answer without headers; a change of the form below raises it.
VERSION: Final = b"\x02"
#: First byte of one with headers: their JSON object and a line feed come before the document.
WITH_HEADERS: Final = b"\x03"
#: Before 0x02, the document held the fields of a neutral answer. `openai_chat` reads those, too.
_VERSIONS: Final = (b"\x01", VERSION, WITH_HEADERS)
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
_DAMAGED: Final = "the stored answer is damaged"


def encode_answer(answer: Answer, headers: Mapping[str, str] = NO_HEADERS) -> bytes:
    """The answer as bytes, with headers that a replay repeats.

    Raises:
        ValueError: it holds what JSON in UTF-8 cannot: half a surrogate pair, an integer of more than
            64 bits, about 250 levels. No dialect reads such an answer.
    """
    try:
        document = orjson.dumps(answer.document)
        return (
            WITH_HEADERS + orjson.dumps(dict(headers)) + b"\n" + document if headers else VERSION + document
        )
    except orjson.JSONEncodeError:
        raise ValueError("the answer cannot be stored") from None


def decode_document(stored: bytes) -> JsonObject:
    """The document that was stored; the entry's dialect restores the answer from it.

    Raises:
        ValueError: another version, or damaged; says nothing of what is stored.
    """
    if stored[:1] not in _VERSIONS:
        raise ValueError("the stored answer is of another version")
    if stored[:1] == WITH_HEADERS:
        return _object(stored[1:].partition(b"\n")[2])
    return _object(stored[1:])


def decode_headers(stored: bytes) -> Mapping[str, str]:
    """The headers that were stored with an answer; none with most.

    Raises:
        ValueError: damaged; says nothing of what is stored.
    """
    if stored[:1] != WITH_HEADERS:
        return NO_HEADERS
    headers = _object(stored[1:].partition(b"\n")[0])
    return {name: value for name, value in headers.items() if isinstance(value, str)}


def _object(text: bytes) -> JsonObject:
    try:
        document: JsonValue = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ValueError(_DAMAGED) from None
    if not isinstance(document, dict):
        raise ValueError(_DAMAGED)  # noqa: TRY004 - what the bytes say
    return document
