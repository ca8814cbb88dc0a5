"""Reads the body of an embeddings request into the inference request.

What is embedded is the prompt: all texts, joined by newlines. It is matched exactly only, for two texts that
mean the same have different vectors. Tokens hold no text that could be read here; the context has them.
Source: the OpenAI API reference, "Create embeddings"; vLLM, EmbeddingRequest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from router_extproc.dialects.doubled import mark_of_doubled
from router_extproc.dialects.json_body import canonical, read_object
from router_extproc.dialects.openai_embeddings.inputs import answers_of, pieces_of
from router_extproc.dialects.shapes import (
    INTEGER,
    LIST,
    STRING,
    STRING_OR_LIST,
    Shape,
    check_members,
    read_model,
    wrong_shape,
)
from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.request import ContextField, InferenceRequest

DIALECT: Final = "openai_embeddings"
#: Members whose shape is known.
BODY: Final[Mapping[str, Shape]] = {
    "input": STRING_OR_LIST,
    "messages": LIST,  # vLLM: a conversation in the place of the input
    "dimensions": INTEGER,
    "encoding_format": STRING,
    "user": STRING,
    "truncate_prompt_tokens": INTEGER,  # vLLM
    "priority": INTEGER,  # vLLM
}
#: Members that cannot change a vector, each with its reason.
_OUTSIDE_CONTEXT: Final = frozenset(
    {
        "input",  # a context field of its own, without the texts
        "model",  # the cache key has its own field for it
        "user",  # names the end user for abuse reports
        "priority",  # vLLM: place in the queue
        "request_id",  # vLLM: becomes the answer's id
    }
)
#: What every reader of a body must find the same in.
_DECIDING: Final = ("model", "input", "messages")
#: Members of a message in vLLM's form that hold what is said.
_SAID: Final = ("content", "text")
#: Tokens are millions of elements without.
_HOLDS_TEXT: Final = frozenset({str, list, dict})


def parse_request(body: bytes) -> InferenceRequest:
    """See dialects.base.RequestDialect.parse."""
    document = read_object(body)
    check_members(document, BODY)
    given = document.get("input")
    asked = document.get("messages") if given is None else given
    if asked is None:
        raise wrong_shape("input", STRING_OR_LIST.words)
    _check_messages(document.get("messages"))
    # First of all: it refuses what is nested too deeply to be read any further.
    doubled = mark_of_doubled(body, document, _DECIDING)
    context = _context(document, doubled)
    return InferenceRequest(
        dialect=DIALECT,
        model=read_model(document),
        prompt="\n".join(_texts(asked)),
        system="",
        history=(),
        context=context,
        stream=False,
        stream_usage=False,
        prompt_is_last=False,
        is_coded=_has_tokens(given),
        body_bytes=len(body),
        by_name=True,
        pieces=None if doubled else pieces_of(document, context),
        answers=answers_of(given),
        body=document,
    )


def _check_messages(messages: JsonValue) -> None:
    """Each is an object, or a conversation of them; of an input everything may be an element."""
    for place, message in enumerate(messages if type(messages) is list else ()):
        if type(message) not in {dict, list}:
            raise wrong_shape(f"messages[{place}]", "an object")


def _texts(value: JsonValue) -> Iterator[str]:
    """Every text to be embedded, in order."""
    match value:
        case str():
            yield value
        case list() if not _HOLDS_TEXT.isdisjoint(map(type, value)):
            for each in value:
                yield from _texts(each)
        case dict():
            for name in _SAID:
                yield from _texts(value.get(name))


def _has_tokens(given: JsonValue) -> bool:
    """Whether some of the input is tokens: alone, or a list of them for each input."""
    pieces = given if type(given) is list else []
    numbers = (number for piece in pieces for number in (piece if type(piece) is list else [piece]))
    return any(type(number) is int for number in numbers)


def _context(document: JsonObject, doubled: bytes) -> tuple[ContextField, ...]:
    """Where one text ends and the next begins, then each other member by name; null is the same as none."""
    shape = canonical(_shape(document.get("input"))) + doubled
    others = sorted(name for name in document if name not in _OUTSIDE_CONTEXT and document[name] is not None)
    return (
        ContextField("input", shape),
        *(ContextField(name, canonical(document[name])) for name in others),
    )


def _shape(given: JsonValue) -> JsonValue:
    """What tells inputs of the same joined texts apart: the line breaks in each; all of what is no text."""
    match given:
        case str():
            return "text"
        case list() if all(type(each) is str for each in given):
            return [str(each).count("\n") for each in given]
        case _:
            return [given]
