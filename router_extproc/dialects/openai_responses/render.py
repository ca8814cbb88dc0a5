"""Renders responses from the cache for the client.

A replay is one body, also where a stream was asked for. Read again, both forms give the answer that they
were made from. What an object repeats of its request is that of the request at hand.
Source: the OpenAI API reference, "The response object" and "Streaming events".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from router_extproc.dialects.base import Rendered
from router_extproc.dialects.members import a_list, an_object
from router_extproc.dialects.openai_objects import JSON_TYPE, SSE_TYPE
from router_extproc.dialects.openai_responses.response import COMPLETED, echoing
from router_extproc.llm.answer import Answer, JsonObject, JsonValue

_IN_PROGRESS: Final = "in_progress"
#: What a response does not have before its end.
_AT_THE_END: Final = ("usage", "completed_at")
#: Kind of part to its member that holds text, and the kind of its events.
_PARTS: Final = {"output_text": "text", "refusal": "refusal", "reasoning_text": "text"}
#: Kind of call to its member that holds text, and how its events begin.
_CALLS: Final = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
    "mcp_call": ("arguments", "response.mcp_call_arguments"),
}


def render_json(answer: Answer, body: Mapping[str, JsonValue]) -> Rendered:
    """One response object; `body`: of the request at hand."""
    return Rendered(JSON_TYPE, orjson.dumps(echoing(answer.document, body)))


def render_stream(answer: Answer, body: Mapping[str, JsonValue]) -> Rendered:
    """The whole event stream, its events numbered from 0."""
    frames = [
        b"event: %s\ndata: %s\n\n"
        % (str(event["type"]).encode(), orjson.dumps({**event, "sequence_number": number}))
        for number, event in enumerate(_events(echoing(answer.document, body)))
    ]
    return Rendered(SSE_TYPE, b"".join(frames))


def _events(response: JsonObject) -> Iterator[JsonObject]:
    begun: JsonObject = {**response, "status": _IN_PROGRESS, "output": []}
    begun |= {name: None for name in _AT_THE_END if name in response}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for place, item in enumerate(a_list(response["output"])):
        yield from _item_events(place, an_object(item))
    yield {"type": "response.completed", "response": response}


def _item_events(place: int, item: JsonObject) -> Iterator[JsonObject]:
    """One item as it would have come: empty, its texts, whole."""
    at: JsonObject = {"output_index": place}
    inside: JsonObject = {"item_id": item.get("id") or "", **at}
    match item["type"]:
        case "message":
            start, events = {**item, "content": []}, _content(item, inside)
        case "reasoning":
            start, events = _empty_reasoning(item), _reasoning(item, inside)
        case str(kind) if kind in _CALLS and type(item.get(_CALLS[kind][0])) is str:
            start, events = {**item, _CALLS[kind][0]: ""}, _call(kind, item, inside)
        case _:
            start, events = item, iter(())
    if item.get("status") == COMPLETED:
        start = {**start, "status": _IN_PROGRESS}
    yield {"type": "response.output_item.added", **at, "item": start}
    yield from events
    yield {"type": "response.output_item.done", **at, "item": item}


def _content(item: JsonObject, inside: JsonObject) -> Iterator[JsonObject]:
    """The parts of a message, or of reasoning, one after the other."""
    for index, value in enumerate(a_list(item.get("content") or [])):
        part = an_object(value)
        kind, here = str(part["type"]), {**inside, "content_index": index}
        member = _PARTS.get(kind, "")
        start = {**part, member: ""} if member else part
        emptied: JsonObject = {name: [] for name in ("annotations", "logprobs") if part.get(name)}
        yield {"type": "response.content_part.added", **here, "part": {**start, **emptied}}
        if member:
            yield from _text(f"response.{kind}", here, part, member)
        yield {"type": "response.content_part.done", **here, "part": part}


def _text(kind: str, here: JsonObject, part: JsonObject, member: str) -> Iterator[JsonObject]:
    logprobs: JsonObject = {"logprobs": part.get("logprobs") or []} if kind == "response.output_text" else {}
    if part[member]:
        yield {"type": f"{kind}.delta", **here, "delta": part[member], **logprobs}
    for index, annotation in enumerate(a_list(part.get("annotations") or [])):
        noted: JsonObject = {"annotation_index": index, "annotation": annotation}
        yield {"type": f"{kind}.annotation.added", **here, **noted}
    yield {"type": f"{kind}.done", **here, member: part[member], **logprobs}


def _empty_reasoning(item: JsonObject) -> JsonObject:
    return {**item, **{name: [] for name in ("summary", "content") if item.get(name)}}


def _reasoning(item: JsonObject, inside: JsonObject) -> Iterator[JsonObject]:
    kind = "response.reasoning_summary_text"
    for index, value in enumerate(a_list(item.get("summary") or [])):
        part = an_object(value)
        here: JsonObject = {**inside, "summary_index": index}
        yield {"type": "response.reasoning_summary_part.added", **here, "part": {**part, "text": ""}}
        yield {"type": f"{kind}.delta", **here, "delta": part["text"]}
        yield {"type": f"{kind}.done", **here, "text": part["text"]}
        yield {"type": "response.reasoning_summary_part.done", **here, "part": part}
    yield from _content(item, inside)


def _call(kind: str, item: JsonObject, inside: JsonObject) -> Iterator[JsonObject]:
    member, events = _CALLS[kind]
    if item[member]:
        yield {"type": f"{events}.delta", **inside, "delta": item[member]}
    # vLLM's event says the name, too.
    named: JsonObject = {"name": item["name"]} if kind == "function_call" else {}
    yield {"type": f"{events}.done", **inside, **named, member: item[member]}
