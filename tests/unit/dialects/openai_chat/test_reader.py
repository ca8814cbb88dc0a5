"""Answers of pools, read whole or not at all."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any  # JSON bodies

import pytest

from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.dialects.openai_objects import INCOMPLETE_REASONS
from router_extproc.dialects.readers import EVENT_ROOM_BYTES, RAW_BYTES_PER_ANSWER_BYTE
from router_extproc.dialects.size import size_of
from router_extproc.llm.answer import Answer, Incomplete, ToolCall, Usage

SAMPLES = Path(__file__).parents[3] / "samples"
JSON_TYPE, SSE_TYPE = "application/json", "text/event-stream; charset=utf-8"
HEAD = {"id": "a1", "object": "chat.completion", "created": 5, "model": "m"}


def read(content_type: str, *chunks: bytes, max_answer_bytes: int = 1 << 20) -> Answer | Incomplete:
    reader = OpenAIChat().read_answer(content_type, max_answer_bytes=max_answer_bytes)
    for chunk in chunks:
        reader.feed(chunk)
    return reader.finish()


def read_json(document: Any) -> Answer | Incomplete:
    return read(JSON_TYPE, json.dumps(document).encode())


def read_events(*events: Any, done: bool = True) -> Answer | Incomplete:
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    return read(SSE_TYPE, *lines, *([b"data: [DONE]\n\n"] if done else []))


def sample(name: str) -> Answer | Incomplete:
    kind = SSE_TYPE if name.endswith(".sse") else JSON_TYPE
    return read(kind, (SAMPLES / name).read_bytes())


def complete(answer: Answer | Incomplete) -> Answer:
    assert isinstance(answer, Answer)
    return answer


def message(answer: Answer | Incomplete, index: int = 0) -> dict[str, Any]:
    """The message of a choice, as a client would get it."""
    said: dict[str, Any] = choices_of(answer)[index]["message"]
    return said


def choices_of(answer: Answer | Incomplete) -> list[dict[str, Any]]:
    document: Any = complete(answer).document
    return list(document["choices"])


def calls(answer: Answer | Incomplete) -> tuple[ToolCall, ...]:
    return complete(answer).facts.choices[0].tool_calls


def choice(finish: str | None = "stop", index: Any = 0, **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "hi", **message}
    return {"index": index, "message": said, "finish_reason": finish}


def completion(*choices: Any, **members: Any) -> dict[str, Any]:
    return {**HEAD, "choices": list(choices), **members}


def delta(finish: str | None = None, index: Any = 0, **members: Any) -> dict[str, Any]:
    return {**HEAD, "choices": [{"index": index, "delta": members, "finish_reason": finish}]}


def reason(answer: Answer | Incomplete) -> str:
    assert isinstance(answer, Incomplete)
    assert answer.reason in INCOMPLETE_REASONS
    return answer.reason


# ── samples ───────────────────────────────────────────────────────────────────────────────────


def test_streamed_or_not_is_the_same_answer() -> None:
    assert sample("openai_chat/openai.answer.sse") == sample("openai_chat/openai.answer.json")


def test_text_comes_through_to_the_byte() -> None:
    content = complete(sample("openai_chat/openai.answer.sse")).facts.choices[0].text
    assert "```python\ndef grow(cm):\n    return cm + 91" in content
    assert "\U0001f333 \u2028" in content


def test_usage_and_cached_tokens() -> None:
    answer = complete(sample("openai_chat/openai.answer.sse"))
    assert answer.facts.usage == Usage(24, 41, 16)
    told: Any = answer.document["usage"]
    assert told["total_tokens"] == 65


def test_vllm_reasoning_streamed_and_not_are_the_same_to_a_client() -> None:
    both = [complete(sample(f"openai_chat/vllm-reasoning.answer.{kind}")) for kind in ("json", "sse")]
    for answer in both:
        assert message(answer)["reasoning"] == "The user asks\nabout trees. 🌳"
        assert message(answer)["content"] == answer.facts.choices[0].text == "\n\nBamboo."
    assert both[0].facts == both[1].facts


def test_vllm_tool_calls_in_fragments() -> None:
    answer = complete(sample("openai_chat/vllm-tools.answer.sse"))
    assert answer.facts.has_tool_calls
    assert calls(answer) == (ToolCall("weather", '{"city": "Lima"}'), ToolCall("clock", "{}"))
    assert [call["id"] for call in message(answer)["tool_calls"]] == ["chatcmpl-tool-a1", "chatcmpl-tool-b2"]


def test_interleaved_choices_with_logprobs() -> None:
    answer = complete(sample("openai_chat/vllm-two-choices.answer.sse"))
    first, second = choices_of(answer)
    assert [said.text for said in answer.facts.choices] == ["Poplar", "Bamboo"]
    assert second["stop_reason"] == "boo"
    assert [token["token"] for token in first["logprobs"]["content"]] == ["Pop", "lar"]


def test_legacy_function_call_is_a_tool_call() -> None:
    """Else an answer with a call would be stored where calls must not be."""
    answer = complete(sample("openai_chat/legacy-function-call.answer.sse"))
    assert calls(answer) == (ToolCall("alarm", '{"hour": 7}'),)
    assert answer.facts.choices[0].finish_reason == "function_call"


def test_custom_tool_keeps_its_free_text() -> None:
    answer = sample("openai_chat/custom-tool.answer.json")
    assert calls(answer) == (ToolCall("sql", "select 1;\n"),)
    assert message(answer)["tool_calls"][0]["id"] == "call_9"


def test_refusal() -> None:
    answer = sample("openai_chat/refusal.answer.sse")
    assert (message(answer)["content"], message(answer)["refusal"]) == (None, "I cannot do that.")
    assert complete(answer).facts.choices[0].text == ""


def test_answer_cut_by_the_token_limit_still_tells_its_usage() -> None:
    answer = sample("openai_chat/vllm-length.answer.sse")
    assert reason(answer) == "length"
    assert isinstance(answer, Incomplete)
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 30


def test_error_inside_a_stream() -> None:
    assert reason(sample("openai_chat/vllm-error.answer.sse")) == "error"


VLLM = SAMPLES / "vllm"
RECORDED = sorted(file.name for file in VLLM.glob("*.*") if not file.name.endswith((".request.json", ".md")))
CUT_SHORT = {
    name: "error" if name.startswith("error") else "length"
    for name in RECORDED
    if name.startswith(("error", "length")) or b'"finish_reason":"length"' in (VLLM / name).read_bytes()
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_vllm_answer_is_read(name: str) -> None:
    answer = sample(f"vllm/{name}")
    if name in CUT_SHORT:
        assert reason(answer) == CUT_SHORT[name]
    else:
        assert all(said.text or said.tool_calls for said in complete(answer).facts.choices)


# ── complete or not ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("finish", "why"),
    [
        (None, "unfinished"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "finish_reason"),
        ("function_call", "finish_reason"),
        ("abort", "finish_reason"),
        ("", "unfinished"),
    ],
)
def test_other_ends_are_incomplete(finish: str | None, why: str) -> None:
    assert reason(read_json(completion(choice(), choice(finish, 1)))) == why
    assert reason(read_events(delta(content="hi"), delta(finish))) == why


@pytest.mark.parametrize("finish", ["stop", "tool_calls"])
def test_tool_calls_end_with_either_reason(finish: str) -> None:
    """A pool of vLLM says "stop" where the request named the function."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    answer = complete(read_json(completion(choice(finish, content=None, tool_calls=[call]))))
    assert calls(answer) == (ToolCall("f", "{}"),)


def test_no_choices() -> None:
    assert reason(read_json(completion())) == "no_choices"
    assert reason(read_events({**HEAD, "choices": []})) == "no_choices"


def test_stream_without_its_terminal_event_is_cut_off() -> None:
    assert reason(read_events(delta("stop", content="hi"), done=False)) == "cut_off"
    assert reason(read(SSE_TYPE)) == "cut_off"


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_terminal_event_at_the_end_of_the_body_needs_no_blank_line(end: bytes) -> None:
    body = b"data: " + json.dumps(delta("stop", content="hi")).encode() + b"\n\ndata: [DONE]" + end
    assert complete(read(SSE_TYPE, body)).facts.choices[0].text == "hi"


@pytest.mark.parametrize(
    "rest", [b"data: [DONE", b"data: {", b'data: {"error": {}}', b"event: error\ndata: x"]
)
def test_any_other_event_at_the_end_of_the_body_may_be_half_of_one(rest: bytes) -> None:
    body = b"data: " + json.dumps(delta("stop", content="hi")).encode() + b"\n\n" + rest
    assert reason(read(SSE_TYPE, body)) == "cut_off"


def test_nothing_after_the_terminal_event_counts() -> None:
    body = b"data: " + json.dumps(delta("stop", content="hi")).encode() + b"\n\ndata: [DONE]\n\n"
    assert read(SSE_TYPE, body + b"data: junk\n\n") == read(SSE_TYPE, body)


@pytest.mark.parametrize(
    "event", [{"error": {"message": "x"}}, {"object": "error", "message": "x"}, {**HEAD, "error": "x"}]
)
def test_error_objects(event: Any) -> None:
    assert reason(read_json(event)) == "error"
    assert reason(read_events(delta(content="hi"), event, delta("stop"))) == "error"


def test_event_named_error_is_an_error_whatever_it_holds() -> None:
    assert reason(read(SSE_TYPE, b"event: error\ndata: oops\n\ndata: [DONE]\n\n")) == "error"


def test_null_error_is_none() -> None:
    answer = complete(read_json(completion(choice(), error=None)))
    assert answer.document["error"] is None


@pytest.mark.parametrize("content_type", ["", "text/html", "text/plain", "application/octet-stream"])
def test_other_content_types_are_not_read(content_type: str) -> None:
    assert reason(read(content_type, json.dumps(completion(choice())).encode())) == "content_type"


@pytest.mark.parametrize(
    "content_type", ["Application/JSON", "application/json; charset=utf-8", " application/json ;"]
)
def test_content_type_may_be_written_in_any_way(content_type: str) -> None:
    assert complete(read(content_type, json.dumps(completion(choice())).encode()))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"choices": NaN}', b"\xff"])
def test_what_is_no_object_is_malformed(body: bytes) -> None:
    assert reason(read(JSON_TYPE, body)) == "malformed"
    assert reason(read(SSE_TYPE, b"data: " + body + b"\n\ndata: [DONE]\n\n")) == "malformed"


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    "document",
    [
        {**HEAD},
        completion(choice(), id=None),
        completion(choice(), model=1),
        completion(choice(), created="now"),
        completion(choice(), created=True),
        completion("x"),
        completion({"index": 0, "finish_reason": "stop"}),
        completion(choice(index=1)),
        completion(choice(), choice()),
        completion(choice(index="0")),
        completion(choice(content=1)),
        completion(choice(refusal=1)),
        completion(choice(reasoning=[1])),
        completion(choice(1)),  # type: ignore[arg-type] # a pool may send any type
        completion(choice(tool_calls={"a": 1})),
        completion(choice(tool_calls=["x"])),
        completion(choice(tool_calls=[{**CALL, "id": None}])),
        completion(choice(tool_calls=[{**CALL, "type": "magic"}])),
        completion(choice(tool_calls=[{**CALL, "function": None}])),
        completion(choice(tool_calls=[{**CALL, "function": {"name": "f", "arguments": {}}}])),
        completion(choice(function_call="f")),
        completion(choice(function_call={"arguments": "{}"})),
        completion(choice(), usage=[]),
        completion(choice(), usage={"prompt_tokens": "1"}),
    ],
)
def test_what_the_api_does_not_allow_is_malformed(document: Any) -> None:
    assert reason(read_json(document)) == "malformed"


def test_members_nested_too_deeply_to_be_written_again_are_malformed() -> None:
    deep: Any = 1
    for _ in range(250):
        deep = [deep]
    assert reason(read_json(completion(choice(), x=deep))) == "malformed"
    assert reason(read_events({**delta("stop", content="hi"), "x": deep})) == "malformed"


@pytest.mark.parametrize(
    "event",
    [
        {**HEAD, "choices": {}},
        {**HEAD, "choices": ["x"]},
        delta(index=True),
        delta(index="0"),
        {**HEAD, "choices": [{"delta": {}}, {"delta": {}}]},
        {**HEAD, "choices": [{"index": 0, "delta": "x"}]},
        delta(content=[{"type": "image", "text": "x"}]),
        delta(content=[{"type": "text", "text": 1}]),
        delta(content={"text": "x"}),
        delta(tool_calls="x"),
        delta(tool_calls=["x"]),
        delta(tool_calls=[{"id": "c"}]),
        delta(role="tool"),
    ],
)
def test_event_that_does_not_fit_is_malformed(event: Any) -> None:
    assert reason(read_events(delta(role="assistant", content="hi"), event, delta("stop"))) == "malformed"


@pytest.mark.parametrize("member", ["id", "type"])
def test_tool_call_that_changes_its_identity_is_malformed(member: str) -> None:
    first = {"index": 0, "id": "c", "type": "function", "function": {"name": "f"}}
    events = [
        delta(tool_calls=[first]),
        delta(tool_calls=[{"index": 0, member: "other"}]),
        delta("tool_calls"),
    ]
    assert reason(read_events(*events)) == "malformed"


# ── putting a stream together ─────────────────────────────────────────────────────────────────


def test_repeated_identity_of_a_tool_call_is_taken_once() -> None:
    """Some pools repeat id and name with every fragment, others send them empty."""
    whole = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}
    empty = {"index": 0, "id": "", "type": None, "function": {"name": None, "arguments": "}"}}
    answer = complete(read_events(delta(tool_calls=[whole]), delta(tool_calls=[empty]), delta("tool_calls")))
    assert calls(answer) == (ToolCall("f", "{}"),)


def test_members_without_a_field_are_kept() -> None:
    first = delta(role="assistant", content="hi", annotations=[1], audio={"id": "x", "data": "AA"}, mood=1)
    second = delta(None, annotations=[2], audio={"data": "BB", "id": "x", "n": {"m": True}}, mood=2)
    last = {**delta("stop"), "system_fingerprint": "fp", "prompt_token_ids": None}
    last["choices"][0] |= {"stop_reason": 7, "token_ids": [1]}
    more = delta()
    more["choices"][0] |= {"token_ids": [2], "logprobs": None}
    answer = complete(read_events(first, second, last, more))
    kept = {"annotations": [1, 2], "audio": {"id": "x", "data": "AABB", "n": {"m": True}}, "mood": 2}
    assert message(answer) == {"role": "assistant", "content": "hi", **kept}
    beside = {"stop_reason": 7, "token_ids": [1, 2], "logprobs": None}
    said = {"index": 0, "finish_reason": "stop", "message": message(answer), **beside}
    assert choices_of(answer) == [said]
    facts = {"system_fingerprint": "fp", "prompt_token_ids": None}
    assert answer.document == {**HEAD, "choices": [said], **facts}


def test_both_reasoning_fields_are_kept() -> None:
    answer = complete(read_events(delta(reasoning="a", reasoning_content="a"), delta("stop", content="hi")))
    order = ["role", "content", "reasoning_content", "reasoning"]
    assert list(message(answer)) == order
    assert [message(answer)[name] for name in order[2:]] == ["a", "a"]


def test_members_of_a_tool_call_without_a_field_are_kept() -> None:
    call = {**CALL, "extra_content": {"a": 1}, "function": {"name": "f", "arguments": "{}", "strict": True}}
    answer = complete(read_json(completion(choice(content=None, tool_calls=[call]))))
    assert message(answer)["tool_calls"] == [call]


def test_first_event_may_be_about_the_prompt_only() -> None:
    """Azure begins with filter results and neither id nor model."""
    event = {"id": "", "model": "", "created": 0, "object": "", "choices": [], "prompt_filter_results": [1]}
    answer = complete(read_events(event, delta("stop", content="hi")))
    assert (answer.facts.id, answer.facts.model, answer.document["created"]) == ("a1", "m", 5)
    assert answer.document["prompt_filter_results"] == [1]


def test_last_usage_counts() -> None:
    """With continuous usage every event carries the counts so far."""
    events = [{**delta(content="x"), "usage": {"prompt_tokens": 3, "completion_tokens": n}} for n in (1, 2)]
    answer = complete(read_events(*events, {**delta("stop"), "usage": None}))
    assert answer.facts.usage == Usage(3, 2)


def test_deep_objects_are_taken_whole() -> None:
    deep: Any = {"a": "x"}
    for _ in range(100):
        deep = {"a": deep}
    one = delta(content="hi", audio=deep)
    one["choices"][0]["logprobs"] = deep
    last = delta("stop")
    last["choices"][0]["logprobs"] = deep
    answer = complete(read_events(one, delta(audio=deep), last))
    assert message(answer)["audio"] == deep
    assert choices_of(answer)[0]["logprobs"] == deep


def test_million_fragments_are_joined_once() -> None:
    """Adding text to text would copy it again with every fragment."""
    events = b"".join(
        b'data: {"choices":[{"index":0,"delta":{"function_call":{"name":"f","arguments":"word "}}}]}\n\n'
        for _ in range(20_000)
    )
    head = b"data: " + json.dumps(delta("function_call", content=None)).encode() + b"\n\n"
    answer = complete(read(SSE_TYPE, head, events, b"data: [DONE]\n\n", max_answer_bytes=1 << 24))
    assert calls(answer)[0].arguments == "word " * 20_000


def test_choices_and_calls_come_in_the_order_of_their_index() -> None:
    fragments = [{"index": place, "id": f"c{place}", "function": {"name": "f"}} for place in (1, 0)]
    streamed = read_events(
        delta(index=1, content="b"), delta(tool_calls=fragments), delta("stop", 1), delta("stop")
    )
    assert [said["index"] for said in choices_of(streamed)] == [0, 1]
    assert [call["id"] for call in message(streamed)["tool_calls"]] == ["c0", "c1"]
    unordered = read_json(completion(choice(index=1), choice()))
    assert [said["index"] for said in choices_of(unordered)] == [0, 1]


def test_null_takes_nothing_back() -> None:
    nothing = dict.fromkeys(("role", "content", "annotations", "mood"))
    answer = complete(
        read_events(delta(role="assistant", content="hi", annotations=[], mood=0), delta("stop", **nothing))
    )
    assert message(answer) == {"role": "assistant", "content": "hi", "annotations": [], "mood": 0}


def test_objects_of_any_depth_do_not_exhaust_the_stack() -> None:
    text = b'{"a":' * 1010 + b"1" + b"}" * 1010
    event = b'data: {"choices":[{"index":0,"delta":{"audio":%b},"logprobs":%b}]}\n\n' % (text, text)
    assert reason(read(SSE_TYPE, event, event, b"data: [DONE]\n\n")) == "malformed"


# ── bounds and time to first token ────────────────────────────────────────────────────────────


def test_object_over_the_bound_is_too_large() -> None:
    assert reason(read(JSON_TYPE, b"x" * 6, b"x" * 5, b"x", max_answer_bytes=10)) == "too_large"


def stream_of(*tokens: str, **members: Any) -> bytes:
    """A stream with one event for each token, as pools send it."""
    head = {**HEAD, "id": "chatcmpl-" + "a" * 32, "object": "chat.completion.chunk"}
    events = [{**head, **delta(content=token), **members} for token in tokens]
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in (*events, delta("stop"))]
    return b"".join([*lines, b"data: [DONE]\n\n"])


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"usage": {"prompt_tokens": 3, "completion_tokens": 4}},
        {"usage": None, "system_fingerprint": "fp_1234567890"},
    ],
)
def test_frames_of_a_stream_do_not_count_towards_its_bound(members: dict[str, Any]) -> None:
    """A megabyte would hold some 5,000 tokens."""
    stream = stream_of(*["word "] * 3000, **members)
    assert len(stream) > 10 * 16_000
    assert message(read(SSE_TYPE, stream, max_answer_bytes=16_000))["content"] == "word " * 3000


def test_choice_members_that_every_event_repeats_do_not_add_up() -> None:
    event = delta(content="word ")
    event["choices"][0]["content_filter_results"] = {"hate": {"filtered": False, "severity": "safe"}}
    lines = b"".join([b"data: " + json.dumps(event).encode() + b"\n\n"] * 1000)
    stream = lines + b"data: " + json.dumps(delta("stop")).encode() + b"\n\ndata: [DONE]\n\n"
    assert complete(read(SSE_TYPE, stream, max_answer_bytes=10_000))


GROWING: list[dict[str, Any]] = [
    {"content": "x" * 100},
    {"reasoning": "x" * 100},
    {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "x" * 100}}]},
    {"annotations": [{"text": "x" * 100}]},
    {"function_call": {"name": "f", "arguments": "x" * 100}},
]


@pytest.mark.parametrize("members", GROWING, ids=lambda members: next(iter(members)))
def test_what_grows_in_a_stream_counts(members: dict[str, Any]) -> None:
    assert reason(read_events(*[delta(**members)] * 20_000, delta("stop"))) == "too_large"


def test_logprobs_count() -> None:
    event = delta(content="x")
    event["choices"][0]["logprobs"] = {"content": [{"token": "x" * 100}]}
    assert reason(read_events(*[event] * 20_000, delta("stop"))) == "too_large"


def test_facts_with_ever_new_names_count() -> None:
    events = [{**HEAD, f"fact{place}": "x" * 1000} for place in range(1100)]
    assert reason(read_events(*events, delta("stop", content="hi"))) == "too_large"


def test_bytes_of_a_stream_are_bounded_whatever_they_hold() -> None:
    event = b": keep-alive" + b" " * 1000 + b"\n\n"
    over = (500 * RAW_BYTES_PER_ANSWER_BYTE + EVENT_ROOM_BYTES) // len(event) + 1
    assert reason(read(SSE_TYPE, event * over, stream_of("hi"), max_answer_bytes=500)) == "too_large"


def test_one_event_over_its_bound_is_too_large() -> None:
    stream = b"data: " + b" " * (EVENT_ROOM_BYTES + 2000)
    assert reason(read(SSE_TYPE, stream, b"\n\n", max_answer_bytes=1000)) == "too_large"


def test_bytes_behind_the_terminal_event_do_not_count() -> None:
    assert complete(read(SSE_TYPE, stream_of("hi"), b"x" * 200_000, max_answer_bytes=500))


def test_terminal_event_ends_the_answer() -> None:
    """A client may close the connection then; the pool may keep it open."""
    reader = OpenAIChat().read_answer(SSE_TYPE, max_answer_bytes=1000)
    stream = stream_of("hi")
    assert not reader.feed(stream[:-2]).ended
    assert reader.feed(stream[-2:]).ended
    assert reader.feed(b"data: {\n\n").ended
    assert complete(reader.finish())


@pytest.mark.parametrize("content_type", [JSON_TYPE, SSE_TYPE])
def test_what_was_kept_is_dropped_at_once(content_type: str) -> None:
    """Thousands of exchanges may be in flight beside this one."""
    event = b"data: " + json.dumps(delta(content="x" * 1000)).encode() + b"\n\n"
    fixed = sum(len(name) + size_of(value) for name, value in delta().items() if name != "choices")
    bound = len(event) * 1000 if content_type == JSON_TYPE else 1000 * 1000 + fixed + 500
    reader = OpenAIChat().read_answer(content_type, max_answer_bytes=bound)
    tracemalloc.start()
    try:
        for _ in range(1000):
            reader.feed(bytes(bytearray(event)))
        held_bytes, _ = tracemalloc.get_traced_memory()
        reader.feed(event)
        left_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held_bytes > 1_000_000
    assert left_bytes < 100_000


def test_first_reason_stays() -> None:
    assert reason(read(SSE_TYPE, b"data: junk\n\n", b"x" * 100, max_answer_bytes=50)) == "malformed"


@pytest.mark.parametrize(
    "first",
    [
        {"content": "a"},
        {"reasoning": "a"},
        {"reasoning_content": "a"},
        {"refusal": "a"},
        {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]},
        {"function_call": {"name": "f"}},
    ],
)
def test_answer_starts_with_its_first_piece(first: dict[str, Any]) -> None:
    reader = OpenAIChat().read_answer(SSE_TYPE, max_answer_bytes=1000)
    role = json.dumps(delta(role="assistant", content="", reasoning=None, tool_calls=[])).encode()
    assert not reader.feed(b": ping\n\ndata: " + role + b"\n\n").started
    assert reader.feed(b"data: " + json.dumps(delta(**first)).encode() + b"\n\n").started
    assert reader.feed(b"data: [DONE]\n\n").started


@pytest.mark.parametrize("bad", [b"junk", b'{"choices": 1}', b'{"error": 1}'])
def test_answer_that_failed_later_has_still_started(bad: bytes) -> None:
    reader = OpenAIChat().read_answer(SSE_TYPE, max_answer_bytes=1000)
    assert reader.feed(b"data: " + json.dumps(delta(content="a")).encode() + b"\n\n").started
    assert reader.feed(b"data: " + bad + b"\n\n").started
    assert reader.feed(b"more").started


@pytest.mark.parametrize("content_type", [JSON_TYPE, "image/png"])
def test_other_answers_start_with_their_first_byte(content_type: str) -> None:
    reader = OpenAIChat().read_answer(content_type, max_answer_bytes=1000)
    assert not reader.feed(b"").started
    assert reader.feed(b"{").started
    assert reader.feed(b"").started
