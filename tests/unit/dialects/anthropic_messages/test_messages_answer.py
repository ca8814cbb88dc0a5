"""Message objects and their streams: complete or not, the facts, and the replay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any  # JSON

import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.errors import ModelNotFound, RequestBlocked, RequestTooLarge, RouterUnavailable
from router_extproc.llm.answer import Answer, Choice, Incomplete, ToolCall, Usage

SAMPLES = Path(__file__).parents[3] / "samples" / "anthropic_messages"
DIALECT = DIALECTS["anthropic_messages"]
ROOM = 1 << 20
TEXT = {"type": "text", "text": "Hi."}
CALL = {"type": "tool_use", "name": "x", "input": {}}


def read(content_type: str, body: bytes) -> Answer | Incomplete:
    reader = DIALECT.read_answer(content_type, max_answer_bytes=ROOM)
    reader.feed(body)
    return reader.finish()


def message(*blocks: Any, **members: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": list(blocks or (TEXT,)),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
        **members,
    }


def read_json(document: Any) -> Answer | Incomplete:
    return read("application/json", json.dumps(document).encode())


def sse(*events: Any) -> bytes:
    return b"".join(b"event: x\ndata: " + json.dumps(event).encode() + b"\n\n" for event in events)


def stream(*events: Any, stop: str = "end_turn") -> Answer | Incomplete:
    start = {"type": "message_start", "message": message() | {"content": [], "stop_reason": None}}
    end = ({"type": "message_delta", "delta": {"stop_reason": stop}}, {"type": "message_stop"})
    return read("text/event-stream", sse(start, *events, *end))


def block(index: int, start: Any, *deltas: Any) -> list[Any]:
    grown = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    begun = {"type": "content_block_start", "index": index, "content_block": start}
    return [begun, *grown, {"type": "content_block_stop", "index": index}]


@pytest.mark.parametrize("name", ["thinking", "tool-use"])
def test_streamed_or_not_is_the_same_answer(name: str) -> None:
    whole = read("application/json", (SAMPLES / f"{name}.answer.json").read_bytes())
    assert isinstance(whole, Answer)
    assert read("text/event-stream", (SAMPLES / f"{name}.answer.sse").read_bytes()) == whole


def test_the_facts_of_a_call() -> None:
    answer = read("application/json", (SAMPLES / "tool-use.answer.json").read_bytes())
    assert isinstance(answer, Answer)
    call = ToolCall("read", '{"path":"a b.py","lines":[1,40]}')
    assert answer.facts.choices == (Choice("I read it.", "tool_calls", (call,)),)


def test_all_tokens_of_the_prompt_are_counted() -> None:
    usage = {
        "input_tokens": 3,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 10,
        "output_tokens": 2,
    }
    answer = read_json(message(usage=usage))
    assert isinstance(answer, Answer)
    assert answer.facts.usage == Usage(113, 2, 100)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (message(stop_reason="max_tokens"), "length"),
        (message(stop_reason="refusal"), "content_filter"),
        (message(stop_reason="pause_turn"), "finish_reason"),
        (message(stop_reason=None), "unfinished"),
        (message({"type": "text", "text": " \n"}), "empty"),
        (message({"type": "thinking", "thinking": "Hm.", "signature": "s"}), "empty"),
        (message(role="user"), "malformed"),
        (message(usage=None), "malformed"),
        (message({"text": "no kind"}), "malformed"),
        (message({"type": "tool_use", "name": "x", "input": "text"}), "malformed"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, "error"),
    ],
)
def test_what_is_not_the_whole_answer_is_none(document: Any, reason: str) -> None:
    read_ = read_json(document)
    assert isinstance(read_, Incomplete)
    assert read_.reason == reason


def test_a_stop_sequence_of_the_clients_ends_a_whole_answer() -> None:
    answer = read_json(message(stop_reason="stop_sequence", stop_sequence="."))
    assert isinstance(answer, Answer)
    assert answer.facts.choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    "events",
    [
        block(1, TEXT),
        block(0, TEXT, {"type": "hologram_delta", "hologram": "x"}),
        block(0, TEXT, {"type": "text_delta", "text": 3}),
        [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}}],
        [{"type": "message_start", "message": message()}],
        [{"no": "kind"}],
        block(0, CALL, {"type": "input_json_delta", "partial_json": "{"}),
    ],
)
def test_events_that_do_not_fit_are_no_answer(events: list[Any]) -> None:
    assert stream(*events) == Incomplete("malformed")


def test_events_of_the_future_and_pings_are_passed_over() -> None:
    assert isinstance(stream({"type": "ping"}, {"type": "weather"}, *block(0, TEXT)), Answer)


def test_an_error_in_a_stream_is_no_answer() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    assert stream(*block(0, TEXT), error) == Incomplete("error")
    assert read("text/event-stream", b"event: error\ndata: down\n\n") == Incomplete("error")


def test_a_stream_without_its_beginning_is_no_answer() -> None:
    assert read("text/event-stream", sse({"type": "message_stop"})) == Incomplete("malformed")
    assert read("text/event-stream", sse({"type": "message_delta", "delta": {}})) == Incomplete("malformed")


def test_citations_are_put_together() -> None:
    cited = [{"type": "citations_delta", "citation": {"cited_text": word}} for word in ("a", "b")]
    answer = stream(*block(0, {"type": "text", "text": "Hi."}, *cited))
    assert isinstance(answer, Answer)
    content = answer.document["content"]
    assert isinstance(content, list)
    assert content[0] == {**TEXT, "citations": [{"cited_text": "a"}, {"cited_text": "b"}]}


def test_a_block_that_comes_whole_is_replayed_whole() -> None:
    found = {"type": "web_search_tool_result", "tool_use_id": "t", "content": [{"url": "u"}]}
    answer = read_json(message(found, TEXT))
    assert isinstance(answer, Answer)
    asked = DIALECT.parse((SAMPLES / "question-streamed.request.json").read_bytes())
    rendered = DIALECT.render(answer, asked)
    assert read(rendered.content_type, rendered.body) == answer


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RequestBlocked("No."), "permission_error"),
        (RequestBlocked("No.", status=451), "invalid_request_error"),
        (ModelNotFound("No."), "not_found_error"),
        (RequestTooLarge("No."), "request_too_large"),
        (RouterUnavailable("No."), "api_error"),
    ],
)
def test_errors_have_the_kinds_of_the_api(error: Any, kind: str) -> None:
    rendered = DIALECT.render_error(error)
    assert json.loads(rendered.body) == {"type": "error", "error": {"type": kind, "message": "No."}}
