"""Replayed answers and errors as a chat completions client gets them; the round trip is in tests/fuzz."""

from __future__ import annotations

import json
from typing import Any  # JSON bodies

import pytest

from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.errors import (
    CacheOnlyMiss,
    MalformedRequest,
    ModelNotFound,
    RequestError,
    RequestTooLarge,
)
from router_extproc.llm.answer import Answer, Choice, ToolCall, Usage

DIALECT = OpenAIChat()
ANSWER = Answer(
    id="a1",
    model="m",
    created_s=5,
    choices=(
        Choice(
            0,
            "tree\n  \U0001f333",
            "stop",
            reasoning="hm",
            reasoning_field="reasoning",
            message_extra={"annotations": []},
            choice_extra={"logprobs": {"content": [1]}, "stop_reason": None},
        ),
        Choice(1, None, "tool_calls", (ToolCall("c1", "f", "{}"), ToolCall("c2", "g", "x", "custom"))),
    ),
    usage=Usage(1, 2),
    extra={"system_fingerprint": "fp", "prompt_token_ids": [7]},
)


def render_json(answer: Answer = ANSWER) -> Any:
    rendered = DIALECT.render(
        answer, DIALECT.parse(b'{"model":"a","messages":[{"role":"user","content":"q"}]}')
    )
    assert rendered.content_type == "application/json"
    return json.loads(rendered.body)


def render_events(answer: Answer = ANSWER, *, usage: bool = False) -> list[Any]:
    body = {"model": "a", "messages": [{"role": "user", "content": "q"}], "stream": True}
    if usage:
        body["stream_options"] = {"include_usage": True}
    rendered = DIALECT.render(answer, DIALECT.parse(json.dumps(body).encode()))
    assert rendered.content_type == "text/event-stream"
    *lines, done, end = rendered.body.decode().split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def deltas(events: list[Any], index: int) -> list[Any]:
    return [entry["delta"] for event in events for entry in event["choices"] if entry["index"] == index]


def test_json_has_what_was_stored() -> None:
    document = render_json()
    first, second = document["choices"]
    assert {name: document[name] for name in ("id", "object", "created", "model")} == {
        "id": "a1",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
    }
    assert document["system_fingerprint"] == "fp"
    assert first["message"] == {
        "role": "assistant",
        "content": "tree\n  \U0001f333",
        "reasoning": "hm",
        "annotations": [],
    }
    assert first["logprobs"] == {"content": [1]}
    assert second["message"]["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
    ]
    assert second["finish_reason"] == "tool_calls"


def test_usage_without_an_object_of_the_pool_is_made_from_the_counts() -> None:
    assert render_json()["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def test_usage_is_left_out_where_the_pool_reported_none() -> None:
    """A stream without include_usage tells none, and its answer may be asked for as JSON later."""
    answer = Answer("a1", "m", 5, (Choice(0, "x", "stop"),))
    assert "usage" not in render_json(answer)
    assert all(event.get("usage") is None and event["choices"] for event in render_events(answer, usage=True))


def test_stream_goes_from_role_to_finish_reason() -> None:
    events = render_events()
    assert deltas(events, 0) == [
        {"content": "", "role": "assistant", "annotations": []},
        {"reasoning": "hm"},
        {"content": "tree\n  \U0001f333"},
        {},
    ]
    assert deltas(events, 1) == [
        {"content": None, "role": "assistant"},
        {
            "tool_calls": [
                {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ]
        },
        {"tool_calls": [{"index": 1, "id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}}]},
        {},
    ]
    reasons = [event["choices"][0]["finish_reason"] for event in events]
    assert reasons == [None, None, None, "stop", None, None, None, "tool_calls"]


def test_every_event_is_of_the_same_answer() -> None:
    for event in render_events():
        assert {name: event[name] for name in ("id", "object", "created", "model", "system_fingerprint")} == {
            "id": "a1",
            "object": "chat.completion.chunk",
            "created": 5,
            "model": "m",
            "system_fingerprint": "fp",
        }


def test_refusal_is_replayed_as_a_refusal() -> None:
    answer = Answer("a1", "m", 5, (Choice(0, None, "stop", refusal="no"),))
    assert render_json(answer)["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": "no",
    }
    assert deltas(render_events(answer), 0)[1] == {"refusal": "no"}


def test_long_members_are_sent_once() -> None:
    assert [event.get("prompt_token_ids") for event in render_events()] == [[7]] + [None] * 7


def test_logprobs_come_with_the_content() -> None:
    entries = [event["choices"][0] for event in render_events()]
    assert [entry.get("logprobs") for entry in entries[:4]] == [None, None, {"content": [1]}, None]
    assert "stop_reason" in entries[3]


def test_logprobs_without_content_come_last() -> None:
    answer = Answer("a1", "m", 5, (Choice(0, "", "stop", choice_extra={"logprobs": None}),))
    first, last = render_events(answer)
    assert "logprobs" not in first["choices"][0]
    assert "logprobs" in last["choices"][0]


def test_usage_is_streamed_only_where_asked() -> None:
    assert all("usage" not in event for event in render_events())
    *events, last = render_events(usage=True)
    assert all(event["usage"] is None for event in events)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 3


def test_legacy_function_call_keeps_its_form() -> None:
    call = ToolCall("", "f", "{}", "function_call", {"x": 1})
    answer = Answer("a1", "m", 5, (Choice(0, None, "function_call", (call,)),))
    message = render_json(answer)["choices"][0]["message"]
    assert message["function_call"] == {"name": "f", "arguments": "{}", "x": 1}
    assert "tool_calls" not in message
    assert deltas(render_events(answer), 0)[0]["function_call"] == message["function_call"]


def test_own_members_of_a_tool_call_go_back_where_they_were() -> None:
    call = ToolCall("c", "f", "{}", extra={"function": {"strict": True}, "index": 0})
    answer = Answer("a1", "m", 5, (Choice(0, None, "tool_calls", (call,)),))
    assert render_json(answer)["choices"][0]["message"]["tool_calls"] == [
        {
            "id": "c",
            "type": "function",
            "function": {"name": "f", "arguments": "{}", "strict": True},
            "index": 0,
        }
    ]


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (MalformedRequest("Wrong.", param="messages[0]"), "invalid_request_error", "invalid_request"),
        (ModelNotFound("Wrong."), "invalid_request_error", "model_not_found"),
        (RequestTooLarge("Wrong."), "invalid_request_error", "request_too_large"),
        (CacheOnlyMiss("Wrong."), "server_error", "not_cached"),
    ],
)
def test_error_object(error: RequestError, kind: str, code: str) -> None:
    rendered = DIALECT.render_error(error)
    assert rendered.content_type == "application/json"
    assert json.loads(rendered.body) == {
        "error": {"message": "Wrong.", "type": kind, "param": error.param, "code": code}
    }
