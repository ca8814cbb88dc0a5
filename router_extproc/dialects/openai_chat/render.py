"""Renders chat completions from the cache for the client.

A replay is one body, also where a stream was asked for. Read again, both forms give the answer that they
were made from.
Source: the OpenAI API reference, "The chat completion object", "The chat completion chunk object".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import orjson

from router_extproc.dialects.base import Rendered
from router_extproc.dialects.members import a_list, an_object, others
from router_extproc.dialects.openai_chat.completion import CHOICE_MEMBERS, reasoning_field
from router_extproc.dialects.openai_objects import JSON_TYPE, events_of, render_events
from router_extproc.llm.answer import Answer, JsonObject

_CHUNK: Final = "chat.completion.chunk"


def render_json(answer: Answer) -> Rendered:
    """One chat completion object; its usage is null where the pool tells none."""
    return Rendered(JSON_TYPE, orjson.dumps(answer.document))


def render_stream(answer: Answer, *, usage: bool) -> Rendered:
    """The whole event stream; `usage`: ends with the token counts, where the pool reported them."""
    return render_events(events_of(answer.document, _CHUNK, _stream_entries, usage=usage))


def _stream_entries(choice: JsonObject) -> Iterator[JsonObject]:
    """One choice as it would have come: role, reasoning, refusal, content, calls, end.

    What the API leaves open in a first event is as OpenAI sends it.
    """
    message = an_object(choice["message"])
    content, calls = message.pop("content"), _take_calls(message)
    texts = [(name, message.pop(name)) for name in (reasoning_field(message), "refusal") if message.get(name)]
    extra = others(choice, CHOICE_MEMBERS)
    logprobs = {name: value for name, value in extra.items() if name == "logprobs"}
    yield _entry(choice, {"content": None if content is None else "", **message})
    for name, value in texts:
        yield _entry(choice, {name: value})
    if content:
        yield _entry(choice, {"content": content}, logprobs)
        logprobs = {}
    for call in calls:
        yield _entry(choice, {"tool_calls": [call]})
    end = _entry(choice, {}, {**logprobs, **others(extra, {"logprobs"})})
    yield {**end, "finish_reason": choice["finish_reason"]}


def _take_calls(message: JsonObject) -> list[JsonObject]:
    """The tool calls with the index that deltas carry; an empty list or null stays in the message."""
    if not message.get("tool_calls"):
        return []
    calls = a_list(message.pop("tool_calls"))
    return [{"index": place, **an_object(call)} for place, call in enumerate(calls)]


def _entry(choice: JsonObject, delta: JsonObject, extra: JsonObject | None = None) -> JsonObject:
    """One entry of an event's `choices`."""
    return {"index": choice["index"], "delta": delta, "finish_reason": None, **(extra or {})}
