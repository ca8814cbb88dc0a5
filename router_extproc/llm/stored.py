"""The bytes in which an answer is kept in the cache.

They are not a client's format: no dialect reads them. The rule it keeps: what is decoded equals what
was encoded, and bytes of another version or damaged bytes are refused, never half read.
"""

from __future__ import annotations

from typing import Final, TypeVar

import orjson

from router_extproc.llm.answer import Answer, Choice, JsonValue, ToolCall, Usage

#: First byte of every stored answer; a change of the form below raises it.
VERSION: Final = b"\x01"

_Value = TypeVar("_Value")


def encode_answer(answer: Answer) -> bytes:
    """The answer as bytes.

    Raises:
        ValueError: it holds what JSON in UTF-8 cannot: half a surrogate pair, an integer of more than
            64 bits, about 250 levels. No dialect reads such an answer.
    """
    try:
        return VERSION + orjson.dumps(answer, default=dict)
    except orjson.JSONEncodeError:
        raise ValueError("the answer cannot be stored") from None


def decode_answer(stored: bytes) -> Answer:
    """The answer that `encode_answer` was given.

    Raises:
        ValueError: another version, or damaged; says nothing of what is stored.
    """
    if stored[:1] != VERSION:
        raise ValueError("the stored answer is of another version")
    try:
        return _answer(orjson.loads(stored[1:]))
    except (ValueError, KeyError, TypeError):
        raise ValueError("the stored answer is damaged") from None


def answer_document(stored: bytes) -> JsonValue:
    """A stored answer as JSON that people and other programs may read.

    Raises:
        ValueError: as `decode_answer`.
    """
    decode_answer(stored)
    document: JsonValue = orjson.loads(stored[1:])
    return document


def read_answer_document(document: JsonValue) -> bytes:
    """The bytes to store of what `answer_document` gave.

    Raises:
        ValueError: it is not one.
    """
    return encode_answer(decode_answer(VERSION + orjson.dumps(document)))


def _answer(value: JsonValue) -> Answer:
    members = _as(value, dict)
    usage = members.pop("usage")
    return Answer(
        id=_as(members["id"], str),
        model=_as(members["model"], str),
        created_s=_as(members["created_s"], int),
        choices=tuple(_choice(choice) for choice in _as(members["choices"], list)),
        usage=None if usage is None else _usage(usage),
        extra=_as(members["extra"], dict),
    )


def _choice(value: JsonValue) -> Choice:
    members = _as(value, dict)
    return Choice(
        index=_as(members["index"], int),
        content=_optional_string(members["content"]),
        finish_reason=_optional_string(members["finish_reason"]),
        tool_calls=tuple(_tool_call(call) for call in _as(members["tool_calls"], list)),
        reasoning=_optional_string(members["reasoning"]),
        reasoning_field=_as(members["reasoning_field"], str),
        refusal=_optional_string(members["refusal"]),
        message_extra=_as(members["message_extra"], dict),
        choice_extra=_as(members["choice_extra"], dict),
    )


def _tool_call(value: JsonValue) -> ToolCall:
    members = _as(value, dict)
    return ToolCall(
        id=_as(members["id"], str),
        name=_as(members["name"], str),
        arguments=_as(members["arguments"], str),
        kind=_as(members["kind"], str),
        extra=_as(members["extra"], dict),
    )


def _usage(value: JsonValue) -> Usage:
    members = _as(value, dict)
    return Usage(
        prompt_tokens=_as(members["prompt_tokens"], int),
        completion_tokens=_as(members["completion_tokens"], int),
        cached_tokens=_as(members["cached_tokens"], int),
        original=_as(members["original"], dict),
    )


def _optional_string(value: JsonValue) -> str | None:
    return None if value is None else _as(value, str)


def _as(value: JsonValue, kind: type[_Value]) -> _Value:
    """The value, which must be of exactly this JSON type."""
    if type(value) is not kind:
        raise TypeError
    return value
