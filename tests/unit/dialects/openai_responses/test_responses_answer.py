"""Response objects and their streams: complete or not, the facts, and the replay."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any  # JSON

import openai.types.responses as sdk
import pytest
from pydantic import TypeAdapter

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.openai_responses import assemble
from router_extproc.llm.answer import Answer, Choice, Incomplete, ToolCall, Usage

SAMPLES = Path(__file__).parents[3] / "samples" / "openai_responses"
DIALECT = DIALECTS["openai_responses"]
ROOM = 1 << 20
PART = {"type": "output_text", "text": "Hi.", "annotations": []}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"}
ASKED = DIALECT.parse(b'{"model":"auto","input":"q","metadata":{"a":"b"},"instructions":"Mine."}')
PLAIN = DIALECT.parse(b'{"model":"auto","input":"q"}')
STREAMED = replace(PLAIN, stream=True, stream_usage=True)
EVENT: TypeAdapter[Any] = TypeAdapter(sdk.ResponseStreamEvent)


def read(content_type: str, *pieces: bytes) -> Answer | Incomplete:
    reader = DIALECT.read_answer(content_type, max_answer_bytes=ROOM)
    for piece in pieces:
        reader.feed(piece)
    return reader.finish()


def said(*parts: Any, **members: Any) -> dict[str, Any]:
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    return {**message, "content": list(parts or (PART,)), **members}


def response(*items: Any, **members: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "error": None,
        "model": "m",
        "output": list(items or (said(),)),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {"input_tokens": 3, "output_tokens": 2},
        **members,
    }


def read_json(document: Any) -> Answer | Incomplete:
    return read("application/json", json.dumps(document).encode())


def whole(document: Any) -> Answer:
    answer = read_json(document)
    assert isinstance(answer, Answer)
    return answer


def sse(*events: Any) -> bytes:
    return b"".join(b"event: x\ndata: " + json.dumps(event).encode() + b"\n\n" for event in events)


BEGUN = {"type": "response.created", "response": response(status="in_progress") | {"output": []}}
END = {"type": "response.completed", "response": response()}


def stream(*events: Any, end: Any = END) -> Answer | Incomplete:
    return read("text/event-stream", sse(BEGUN, *events, end))


def delta(text: Any = "Hi.", kind: str = "output_text", **members: Any) -> dict[str, Any]:
    places = {"output_index": 0, "content_index": 0}
    return {"type": f"response.{kind}.delta", "item_id": "msg_1", **places, "delta": text, **members}


def replayed(answer: Answer) -> list[dict[str, Any]]:
    body = DIALECT.render(answer, STREAMED).body.decode()
    return [json.loads(frame.partition("data: ")[2]) for frame in body.removesuffix("\n\n").split("\n\n")]


@pytest.mark.parametrize("name", ["openai", "calls"])
def test_streamed_or_not_is_the_same_answer(name: str) -> None:
    answer = read("application/json", (SAMPLES / f"{name}.answer.json").read_bytes())
    assert isinstance(answer, Answer)
    assert read("text/event-stream", (SAMPLES / f"{name}.answer.sse").read_bytes()) == answer


@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*.answer.*")), ids=lambda file: file.name)
def test_what_is_read_is_replayed_in_both_forms(file: Path) -> None:
    """Read again, both are the answer; each event is valid for the official client's models."""
    content_type = "application/json" if file.suffix == ".json" else "text/event-stream"
    answer = read(content_type, file.read_bytes())
    if isinstance(answer, Incomplete):
        assert file.name.startswith(("vllm-length", "failed"))
        return
    for request in (PLAIN, STREAMED):
        rendered = DIALECT.render(answer, request)
        assert read(rendered.content_type, rendered.body) == answer
    events = replayed(answer)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    for event in events:
        EVENT.validate_python(event)


def test_the_facts_of_calls() -> None:
    answer = read("application/json", (SAMPLES / "calls.answer.json").read_bytes())
    assert isinstance(answer, Answer)
    (choice,) = answer.facts.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.tool_calls[0] == ToolCall("read", '{"path":"a b.py","lines":[1,40]}')
    assert choice.tool_calls[1].arguments.startswith("*** Begin Patch")


def test_all_kinds_of_tokens_are_counted() -> None:
    answer = read("application/json", (SAMPLES / "openai.answer.json").read_bytes())
    assert isinstance(answer, Answer)
    assert answer.facts.usage == Usage(61, 90, 32, 40)
    assert whole(response(usage=None)).facts.usage is None


def test_a_call_without_a_name_is_called_by_its_kind() -> None:
    shell = {"type": "local_shell_call", "id": "l", "call_id": "c", "action": {"command": ["ls"]}}
    assert whole(response(shell)).facts.choices == (
        Choice("", "tool_calls", (ToolCall("local_shell", '{"action":{"command":["ls"]}}'),)),
    )


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (response(status="incomplete", incomplete_details={"reason": "max_output_tokens"}), "length"),
        (response(status="incomplete", incomplete_details=None), "length"),
        (response(status="incomplete", incomplete_details={"reason": "content_filter"}), "content_filter"),
        (response(status="incomplete", incomplete_details={"reason": "steered"}), "finish_reason"),
        (response(status="in_progress"), "unfinished"),
        (response(status=None), "unfinished"),
        (response(status="cancelled"), "finish_reason"),
        (response(said(status="incomplete")), "unfinished"),
        (response(said({**PART, "text": " \n"})), "empty"),
        (response({"type": "reasoning", "summary": [], "content": [{"text": "Hm."}]}), "empty"),
        (response(output=[]), "empty"),
        (response(error={"code": "server_error"}), "error"),
        ({"type": "error", "message": "busy"}, "error"),
        (response(object="list"), "malformed"),
        (response(id=None), "malformed"),
        (response(usage={"input_tokens": 3}), "malformed"),
        (response({"no": "kind"}), "malformed"),
        (response({**CALL, "arguments": {}}), "malformed"),
        (response({"type": "custom_tool_call", "name": "x"}), "malformed"),
        (response({"type": "reasoning", "summary": [{}]}), "malformed"),
        (response(said({"type": "refusal"})), "malformed"),
        (response(said("bare")), "malformed"),
    ],
)
def test_what_is_not_the_whole_answer_is_none(document: Any, reason: str) -> None:
    answer = read_json(document)
    assert isinstance(answer, Incomplete)
    assert answer.reason == reason


def test_one_that_was_cut_may_be_gone_on_from() -> None:
    answer = read_json(response(status="incomplete"))
    assert isinstance(answer, Incomplete)
    assert (answer.kept_id, answer.usage) == ("resp_1", Usage(3, 2))
    assert whole(response()).facts.is_kept


def test_a_refusal_alone_says_something() -> None:
    answer = read("text/event-stream", (SAMPLES / "refusal.answer.sse").read_bytes())
    assert isinstance(answer, Answer)
    assert answer.facts.choices == (Choice("", "stop"),)


# ── streams ───────────────────────────────────────────────────────────────────────────────────


def test_a_stream_is_its_last_object() -> None:
    assert stream(delta("H"), delta("i.")) == whole(response())


@pytest.mark.parametrize(
    "events",
    [
        [delta("Ho.")],
        [delta(content_index=1)],
        [delta(output_index=1)],
        [delta(output_index=-1)],
        [delta(output_index=None)],
        [delta(kind="refusal")],
        [delta(kind="function_call_arguments")],
        [{"no": "kind"}],
        [{"type": "response.output_item.done", "output_index": 0}],
        [{**BEGUN, "response": {**response(), "id": "resp_2"}}],
    ],
)
def test_events_that_do_not_fit_the_whole_are_no_answer(events: list[Any]) -> None:
    """A client has read the pieces; nobody shall get another text in their name."""
    assert stream(*events) == Incomplete("malformed")


def test_events_of_the_future_and_pings_are_passed_over() -> None:
    future = {"type": "response.weather", "x": 1}
    strange = [delta({"x": 1}), delta(kind="hologram")]
    assert isinstance(stream({"type": "ping"}, future, *strange), Answer)
    assert isinstance(read("text/event-stream", sse(BEGUN), b"data: [DONE]\n\n", sse(END)), Answer)


def test_items_that_the_last_object_leaves_out_are_those_that_came() -> None:
    done = [
        {"type": "response.output_item.done", "output_index": place, "item": item}
        for place, item in ((1, CALL), (0, said()), (0, CALL))
    ]
    end = {**END, "response": response(output=None) | {"output": None}}
    answer = stream(delta(), *done, end=end)
    assert isinstance(answer, Answer)
    assert answer.document["output"] == [said(), CALL]


def test_a_call_begins_with_its_name() -> None:
    reader = DIALECT.read_answer("text/event-stream", max_answer_bytes=ROOM)
    added = {"type": "response.output_item.added", "output_index": 0}
    assert not reader.feed(sse(BEGUN, {**added, "item": said(status="in_progress")})).started
    assert reader.feed(sse({**added, "item": CALL})).started


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "busy", "message": "busy", "param": None},
        {"type": "response.failed", "response": {"id": "resp_1"}},
        {"error": {"message": "down"}},
    ],
)
def test_an_error_in_a_stream_is_no_answer(event: Any) -> None:
    assert stream(delta(), event) == Incomplete("error")


def test_an_error_without_json_is_one_too() -> None:
    assert read("text/event-stream", b"event: error\ndata: down\n\n") == Incomplete("error")


def test_an_incomplete_response_ends_its_stream() -> None:
    end = {"type": "response.incomplete", "response": response(status="incomplete")}
    assert stream(end=end) == Incomplete("length", Usage(3, 2), "resp_1")


def test_only_so_many_texts_and_items_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last object has them all."""
    monkeypatch.setattr(assemble, "TEXTS_MAX", 1)
    done = {"type": "response.output_item.done", "output_index": 0, "item": said()}
    events = [delta(), delta("x", content_index=5), done, {**done, "output_index": 1}]
    assert stream(*events) == whole(response())


def test_pieces_count_towards_the_bound_before_the_end() -> None:
    reader = DIALECT.read_answer("text/event-stream", max_answer_bytes=10)
    reader.feed(sse(BEGUN, delta("x" * 20)))
    assert reader.finish() == Incomplete("too_large")


# ── replays ───────────────────────────────────────────────────────────────────────────────────


def test_nothing_that_one_request_says_is_replayed_to_another() -> None:
    stored = whole(response(instructions="Theirs.", metadata={"who": "they"}, user="they", store=False))
    assert b"hey" not in json.dumps(stored.document).encode()
    answer = json.loads(DIALECT.render(stored, ASKED).body)
    assert (answer["instructions"], answer["metadata"], answer["user"]) == ("Mine.", {"a": "b"}, None)
    assert "safety_identifier" not in answer


def test_all_events_of_a_replay_speak_of_one_response() -> None:
    answer = DIALECT.renew(whole(response(said(), CALL)), now_s=9.5)
    events = replayed(answer)
    identity = answer.facts.id
    assert {event["response"]["id"] for event in events if "response" in event} == {identity}
    items = [event["item"]["id"] for event in events if "item" in event]
    assert len(set(items)) == 2
    assert {event["item_id"] for event in events if "item_id" in event} == set(items)
    assert {item.partition("_")[0] for item in items} == {"msg", "fc"}
    begun = events[0]["response"]
    assert (begun["status"], begun["output"], begun["usage"]) == ("in_progress", [], None)


def test_a_renewed_answer_is_dated_now() -> None:
    renewed = DIALECT.renew(whole(response(completed_at=3)), now_s=9.5).document
    assert (renewed["created_at"], renewed["completed_at"]) == (9, 9)
    assert "completed_at" not in DIALECT.renew(whole(response()), now_s=9.5).document


def test_a_replayed_prompt_was_read_from_a_cache() -> None:
    usage = {"input_tokens": 3, "input_tokens_details": {"cache_write_tokens": 1}, "output_tokens": 2}
    marked: Any = DIALECT.mark_cached(whole(response(usage=usage))).document["usage"]
    assert marked["input_tokens_details"] == {"cache_write_tokens": 1, "cached_tokens": 3}
    plain: Any = DIALECT.mark_cached(whole(response())).document["usage"]
    assert plain["input_tokens_details"] == {"cached_tokens": 3}
    untold = whole(response(usage=None))
    assert DIALECT.mark_cached(untold) == untold


@pytest.mark.parametrize(
    ("item", "start"),
    [
        ({**CALL, "id": "fc_1", "encrypted_content": "AA"}, "fc_1"),
        ({**CALL, "id": "odd"}, "item_"),
        ({**CALL, "id": None}, None),
    ],
)
def test_an_item_with_an_encrypted_form_keeps_its_id(item: Any, start: str | None) -> None:
    output: Any = DIALECT.renew(whole(response(item)), now_s=9.5).document["output"]
    identity = output[0]["id"]
    assert identity is None if start is None else identity.startswith(start)


def test_items_and_parts_that_only_a_pool_knows_are_replayed_whole() -> None:
    odd = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AAAA"}
    part = {"type": "hologram", "story": "x"}
    silent = {**CALL, "arguments": ""}
    empty = said({**PART, "text": ""}, part, PART)
    unnamed = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    answer = whole(response(odd, empty, silent, unnamed, {"type": "mcp_call", "name": "m"}))
    rendered = DIALECT.render(answer, STREAMED)
    assert read(rendered.content_type, rendered.body) == answer


def test_a_composed_answer_is_valid_for_the_official_client() -> None:
    document = DIALECT.compose("From 9 to 17.", model="auto", now_s=9.5)
    answer = DIALECT.restore(document)
    body = DIALECT.render(answer, ASKED).body
    assert sdk.Response.model_validate_json(body).output_text == "From 9 to 17."
    for event in replayed(answer):
        EVENT.validate_python(event)
