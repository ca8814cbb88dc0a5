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
from router_extproc.llm.answer import Answer

DIALECT = OpenAIChat()


def call(identity: str, name: str, arguments: str = "{}", **members: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": identity, "type": "function", "function": function, **members}


def choice(message: dict[str, Any], finish: str = "stop", index: int = 0, **members: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": None, **message}
    return {"index": index, "message": said, "finish_reason": finish, **members}


def answer(*choices: dict[str, Any], **members: Any) -> Answer:
    return DIALECT.restore({"id": "a1", "created": 5, "model": "m", "choices": list(choices), **members})


CUSTOM = {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}}
ANSWER = answer(
    choice(
        {"content": "tree\n  \U0001f333", "reasoning": "hm", "annotations": []},
        logprobs={"content": [1]},
        stop_reason=None,
    ),
    choice({"tool_calls": [call("c1", "f"), CUSTOM]}, "tool_calls", 1),
    usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    system_fingerprint="fp",
    prompt_token_ids=[7],
)


def render_json(shown: Answer = ANSWER) -> Any:
    rendered = DIALECT.render(
        shown, DIALECT.parse(b'{"model":"a","messages":[{"role":"user","content":"q"}]}')
    )
    assert rendered.content_type == "application/json"
    return json.loads(rendered.body)


def render_events(shown: Answer = ANSWER, *, usage: bool = False) -> list[Any]:
    body = {"model": "a", "messages": [{"role": "user", "content": "q"}], "stream": True}
    if usage:
        body["stream_options"] = {"include_usage": True}
    rendered = DIALECT.render(shown, DIALECT.parse(json.dumps(body).encode()))
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


def test_usage_is_left_out_where_the_pool_reported_none() -> None:
    """A stream without include_usage tells none, and its answer may be asked for as JSON later."""
    untold = answer(choice({"content": "x"}))
    assert "usage" not in render_json(untold)
    assert all(event.get("usage") is None and event["choices"] for event in render_events(untold, usage=True))


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
    refused = answer(choice({"refusal": "no"}))
    assert render_json(refused)["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": "no",
    }
    assert deltas(render_events(refused), 0)[1] == {"refusal": "no"}


def test_long_members_are_sent_once() -> None:
    assert [event.get("prompt_token_ids") for event in render_events()] == [[7]] + [None] * 7


def test_logprobs_come_with_the_content() -> None:
    entries = [event["choices"][0] for event in render_events()]
    assert [entry.get("logprobs") for entry in entries[:4]] == [None, None, {"content": [1]}, None]
    assert "stop_reason" in entries[3]


def test_logprobs_without_content_come_last() -> None:
    first, _, last = render_events(answer(choice({"content": "", "refusal": "No."}, logprobs=None)))
    assert "logprobs" not in first["choices"][0]
    assert "logprobs" in last["choices"][0]


def test_usage_is_streamed_only_where_asked() -> None:
    assert all("usage" not in event for event in render_events())
    *events, last = render_events(usage=True)
    assert all(event["usage"] is None for event in events)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 3


def test_legacy_function_call_keeps_its_form() -> None:
    legacy = {"x": 1, "name": "f", "arguments": "{}"}
    called = answer(choice({"function_call": legacy}, "function_call"))
    message = render_json(called)["choices"][0]["message"]
    assert message["function_call"] == {"name": "f", "arguments": "{}", "x": 1}
    assert "tool_calls" not in message
    assert deltas(render_events(called), 0)[0]["function_call"] == message["function_call"]


def test_own_members_of_a_tool_call_go_back_where_they_were() -> None:
    own = call("c", "f", index=0)
    own["function"]["strict"] = True
    assert render_json(answer(choice({"tool_calls": [own]}, "tool_calls")))["choices"][0]["message"][
        "tool_calls"
    ] == [
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
