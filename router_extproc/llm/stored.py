"""The bytes in which an answer is kept in the cache: a version and the dialect's document as JSON.

The entry beside them names the dialect, which reads the facts out of the document again: stored, they
would hold every text twice. Bytes of an unknown version and damaged bytes are refused, never half read.
"""

from __future__ import annotations

from typing import Final

import orjson

from router_extproc.llm.answer import Answer, JsonObject, JsonValue

#: First byte of every stored answer; a change of the form below raises it.
VERSION: Final = b"\x02"
#: Before 0x02, the document held the fields of a neutral answer. `openai_chat` reads those, too.
_VERSIONS: Final = (b"\x01", VERSION)


def encode_answer(answer: Answer) -> bytes:
    """The answer as bytes.

    Raises:
        ValueError: it holds what JSON in UTF-8 cannot: half a surrogate pair, an integer of more than
            64 bits, about 250 levels. No dialect reads such an answer.
    """
    try:
        return VERSION + orjson.dumps(answer.document)
    except orjson.JSONEncodeError:
        raise ValueError("the answer cannot be stored") from None


def decode_document(stored: bytes) -> JsonObject:
    """The document that was stored; the entry's dialect restores the answer from it.

    Raises:
        ValueError: another version, or damaged; says nothing of what is stored.
    """
    if stored[:1] not in _VERSIONS:
        raise ValueError("the stored answer is of another version")
    try:
        document: JsonValue = orjson.loads(stored[1:])
    except orjson.JSONDecodeError:
        raise ValueError("the stored answer is damaged") from None
    if not isinstance(document, dict):
        raise ValueError("the stored answer is damaged")  # noqa: TRY004 - what the bytes say
    return document
