"""From the neutral answer, and from errors, to what a chat completions client reads.

It is not a stream: a replayed answer is one body, whichever form was asked for. The rule it keeps:
read back by `reader`, both forms give the answer that they were made from.
Source: the OpenAI API reference, "The chat completion object", "The chat completion chunk object".
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from router_extproc.dialects.base import Rendered
from router_extproc.dialects.json_body import JsonObject
from router_extproc.dialects.openai_chat.answer import write_message, write_usage
from router_extproc.errors import RequestError
from router_extproc.llm.answer import Answer, Choice, JsonValue, Usage

JSON_TYPE = "application/json"
SSE_TYPE = "text/event-stream"
_SERVER_ERROR = 500


def render_json(answer: Answer) -> Rendered:
    """One chat completion object; usage only where the pool reported it."""
    choices: list[JsonValue] = [_write_choice(choice) for choice in answer.choices]
    document = {**_head(answer, "chat.completion"), "choices": choices, **answer.extra}
    if answer.usage is not None:
        document["usage"] = write_usage(answer.usage)
    return Rendered(JSON_TYPE, orjson.dumps(document))


def render_stream(answer: Answer, *, usage: bool) -> Rendered:
    """The whole event stream; `usage`: ends with the token counts, where the pool reported them."""
    events = [*_choice_events(answer, usage=usage)]
    if usage and answer.usage is not None:
        events.append(_usage_event(answer, answer.usage))
    lines = [b"data: " + orjson.dumps(event) for event in events]
    return Rendered(SSE_TYPE, b"\n\n".join([*lines, b"data: [DONE]", b""]))


def render_error(error: RequestError) -> Rendered:
    """The API's error object."""
    kind = "server_error" if error.status >= _SERVER_ERROR else "invalid_request_error"
    document = {"message": error.message, "type": kind, "param": error.param, "code": error.code}
    return Rendered(JSON_TYPE, orjson.dumps({"error": document}))


def _head(answer: Answer, kind: str) -> JsonObject:
    """What the object and every event begin with."""
    return {"id": answer.id, "object": kind, "created": answer.created_s, "model": answer.model}


def _write_choice(choice: Choice) -> JsonObject:
    """One alternative of the chat completion object."""
    return {
        "index": choice.index,
        "message": write_message(choice),
        "finish_reason": choice.finish_reason,
        **choice.choice_extra,
    }


def _choice_events(answer: Answer, *, usage: bool) -> Iterator[JsonObject]:
    """The events of all choices; what the API leaves open in a first event is as OpenAI sends it."""
    head = _head(answer, "chat.completion.chunk")
    # Short facts (system_fingerprint) stand in every event, lists (prompt_token_ids) once.
    long = {name: value for name, value in answer.extra.items() if isinstance(value, list | dict)}
    short = {name: value for name, value in answer.extra.items() if name not in long}
    # With usage asked for, every event but the last has a null there.
    tail: JsonObject = {**short, "usage": None} if usage else short
    for choice in answer.choices:
        for entry in _stream_entries(choice):
            yield {**head, "choices": [entry], **tail, **long}
            long = {}


def _stream_entries(choice: Choice) -> Iterator[JsonObject]:
    """One choice as it would have come: role, reasoning, refusal, content, calls, end."""
    message = write_message(choice)
    content, calls = message.pop("content"), _take_calls(message)
    texts = [(name, message.pop(name)) for name in (choice.reasoning_field, "refusal") if message.get(name)]
    logprobs = {name: value for name, value in choice.choice_extra.items() if name == "logprobs"}
    others = {name: value for name, value in choice.choice_extra.items() if name != "logprobs"}
    yield _entry(choice, {"content": None if content is None else "", **message})
    for name, value in texts:
        yield _entry(choice, {name: value})
    if content:
        yield _entry(choice, {"content": content}, logprobs)
        logprobs = {}
    for call in calls:
        yield _entry(choice, {"tool_calls": [call]})
    yield {**_entry(choice, {}, {**logprobs, **others}), "finish_reason": choice.finish_reason}


def _take_calls(message: JsonObject) -> list[JsonObject]:
    """The tool calls with the index that deltas carry; an empty list or null stays in the message."""
    calls = message.get("tool_calls")
    if type(calls) is not list or not calls:
        return []
    del message["tool_calls"]
    return [{"index": place, **call} for place, call in enumerate(calls) if type(call) is dict]


def _entry(choice: Choice, delta: JsonObject, extra: JsonObject | None = None) -> JsonObject:
    """One entry of an event's `choices`."""
    return {"index": choice.index, "delta": delta, "finish_reason": None, **(extra or {})}


def _usage_event(answer: Answer, usage: Usage) -> JsonObject:
    """The last event before the terminal one: no choices, only the token counts."""
    short = {name: value for name, value in answer.extra.items() if not isinstance(value, list | dict)}
    head = _head(answer, "chat.completion.chunk")
    return {**head, "choices": [], **short, "usage": write_usage(usage)}
