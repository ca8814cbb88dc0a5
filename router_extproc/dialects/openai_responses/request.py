"""Reads the body of a Responses request into the inference request.

A member that is not known to leave the answer's meaning alone goes into the context: one that is new
then makes another cache entry, never a wrong hit.
Source: the OpenAI API reference, "Create a model response"; vLLM, ResponsesRequest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from router_extproc.dialects.doubled import mark_of_doubled
from router_extproc.dialects.json_body import canonical, read_object
from router_extproc.dialects.openai_responses.alone import why_alone
from router_extproc.dialects.openai_responses.contents import contents_of, has_attachments
from router_extproc.dialects.openai_responses.items import (
    SYSTEM_ROLES,
    USER,
    Item,
    read_items,
    text_member,
    text_of_part,
    turns_of,
)
from router_extproc.dialects.openai_responses.shapes import BODY
from router_extproc.dialects.scalars import is_true
from router_extproc.dialects.shapes import check_members, read_answer_tokens, read_model
from router_extproc.dialects.spelling import Spelling
from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.request import ContextField, InferenceRequest

DIALECT: Final = "openai_responses"

#: Members that cannot change what an answer means, each with its reason.
OUTSIDE_CONTEXT: Final = frozenset(
    {
        "input",  # a context field of its own, without the prompt
        "instructions",  # likewise, without its text
        "model",  # the cache key has its own field for it
        "stream",  # the form of the answer, not its content
        "stream_options",  # likewise
        "user",  # names the end user for abuse reports; the model never sees it
        "safety_identifier",  # its successor
        "metadata",  # labels of the client's own for stored responses
        "store",  # whether the provider keeps the answer for its owner
        "service_tier",  # price and waiting time
        "priority",  # vLLM: place in the queue
        "request_id",  # vLLM: becomes the answer's id
        "prompt_cache_key",  # where the provider looks for a computed prefix
        "prompt_cache_retention",  # how long it keeps one
    }
)
#: Null is not the same as left out: vLLM reads it as false, where its own default is true.
_NULL_COUNTS: Final = frozenset({"parallel_tool_calls"})
SPELLING: Final = Spelling(
    (frozenset(BODY) | {"chat_template_kwargs", "min_p", "repetition_penalty", "top_k"}) - _NULL_COUNTS,
    nothing_if_empty=frozenset({"chat_template_kwargs", "include", "stop"}),
    nothing_if_empty_without={"tools": "tool_choice"},
)
#: What every reader of a body must find the same in: who answers, and what is asked.
_DECIDING: Final = ("model", "input", "instructions", "previous_response_id")


def parse_request(body: bytes) -> InferenceRequest:
    """See dialects.base.RequestDialect.parse."""
    document = read_object(body)
    # First: it refuses what is nested too deeply for readers that call themselves.
    doubled = mark_of_doubled(body, document, _DECIDING)
    check_members(document, BODY)
    items = read_items(document)
    asked = next((place for place in reversed(range(len(items))) if items[place].role == USER), None)
    prompt = "" if asked is None else items[asked].text
    system_texts = tuple(_system_texts(document, items))
    stream = is_true(document.get("stream"))
    previous = document.get("previous_response_id")
    return InferenceRequest(
        dialect=DIALECT,
        model=read_model(document),
        prompt=prompt,
        system="\n".join(system_texts),
        history=() if asked is None else turns_of(items[:asked]),
        context=_context(doubled, document, items, asked),
        stream=stream,
        stream_usage=stream,
        prompt_is_last=asked is not None and asked == len(items) - 1 and bool(prompt.strip()),
        has_tools=bool(document.get("tools")),
        has_attachments=has_attachments(items),
        body_bytes=len(body),
        system_texts=system_texts,
        later=turns_of(items[0 if asked is None else asked + 1 :]),
        contents=contents_of(document, items),
        body=document,
        answer_tokens=read_answer_tokens(document, "max_output_tokens"),
        alone=why_alone(document, items),
        previous=previous if type(previous) is str else "",
    )


def _system_texts(document: JsonObject, items: Sequence[Item]) -> Iterator[str]:
    instructions = document.get("instructions")
    if type(instructions) is str:
        yield instructions
    yield from (item.text for item in items if item.role in SYSTEM_ROLES)


# ── context ───────────────────────────────────────────────────────────────────────────────────


def _context(
    doubled: bytes, document: JsonObject, items: Sequence[Item], asked: int | None
) -> tuple[ContextField, ...]:
    """Every item without its prompt or system prompt, then each other member by name.

    doubled: what makes the key of a body its own that names a member twice, else nothing.
    """
    written = canonical(
        [
            _without_text(item.document) if place == asked or item.role in SYSTEM_ROLES else item.document
            for place, item in enumerate(items)
        ]
    )
    return (ContextField("input", written + doubled), *_others(document))


def _others(document: JsonObject) -> Iterator[ContextField]:
    if document.get("instructions") is not None:
        # Its text is among those of the system prompt: this says that it is the first of them.
        yield ContextField("instructions", b"null")
    others = SPELLING.of({name: document[name] for name in document if name not in OUTSIDE_CONTEXT})
    yield from (ContextField(name, canonical(others[name])) for name in sorted(others))


def _without_text(message: JsonObject) -> JsonObject:
    """The message with holes where its text was.

    With several text parts, each keeps its number of line breaks: together with the joined prompt that
    tells where one part ends and the next begins.
    """
    content = message["content"]
    parts = content if type(content) is list else []
    several = sum(text_of_part(part) is not None for part in parts) > 1
    return {**message, "content": [_with_hole(part, several=several) for part in parts]}


def _with_hole(part: JsonValue, *, several: bool) -> JsonValue:
    text = text_of_part(part)
    if text is None:
        return part
    hole = text.count("\n") if several else None
    return {**part, text_member(part): hole} if type(part) is dict else hole
