"""What pools really send beside the letter of the API: harmless oddities are read, nothing else is."""

from __future__ import annotations

import json
from typing import Any  # JSON bodies

import pytest

from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.llm.answer import Answer, Incomplete

HEAD = {"id": "a1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
DONE = b"data: [DONE]\n\n"


def read(content_type: str, body: bytes) -> Answer | Incomplete:
    reader = OpenAIChat().read_answer(content_type, max_answer_bytes=1 << 20)
    reader.feed(body)
    return reader.finish()


def event(delta: Any = None, finish: Any = None, **members: Any) -> bytes:
    """One event with one choice, as pools send them."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return b"data: " + json.dumps({**HEAD, "choices": [choice], **members}).encode() + b"\n\n"


def of(**members: Any) -> bytes:
    """One event with these members, beside the usual ones."""
    return b"data: " + json.dumps({**HEAD, **members}).encode() + b"\n\n"


def completion(message: Any, finish: Any = "stop", **members: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return json.dumps({**HEAD, "choices": [choice], "usage": USAGE, **members}).encode()


START, TEXT, STOP = (
    event({"role": "assistant", "content": ""}),
    event({"content": "A port."}),
    event({}, "stop"),
)


def stream(*events: bytes) -> Answer | Incomplete:
    return read("text/event-stream", b"".join([*events, DONE]))


def text_of(answer: Answer | Incomplete) -> str:
    assert isinstance(answer, Answer), answer
    return answer.facts.choices[0].text


def reason(answer: Answer | Incomplete) -> str:
    assert isinstance(answer, Incomplete), answer
    return answer.reason


# ── harmless in a stream ──────────────────────────────────────────────────────────────────────

NULL_DELTA = of(choices=[{"index": 0, "delta": None, "finish_reason": "stop"}])
NO_DELTA = of(choices=[{"index": 0, "finish_reason": None, "content_filter_offsets": {"start_offset": 1}}])
FILTERED = of(id="", model="", created=0, choices=[], prompt_filter_results=[{"prompt_index": 0}])
PLACELESS = [
    of(choices=[{"delta": {"content": "A port."}, "finish_reason": None}]),
    of(choices=[{"delta": {}, "finish_reason": "stop"}]),
    of(choices=[{"delta": None, "finish_reason": None}], usage=USAGE),
]


@pytest.mark.parametrize(
    "events",
    [
        [START, TEXT, NULL_DELTA],
        [START, TEXT, STOP, of(choices=None, usage=USAGE)],
        [START, TEXT, STOP, of(usage=USAGE)],
        [event({"content": "A port."}, created=1700000000.25), STOP],
        [START, b"event: ping\ndata: ping\n\n", TEXT, STOP],
        [START, b'event: ping\ndata: {"type": "ping"}\n\n', TEXT, STOP],
        [b": OPENROUTER PROCESSING\n\n", START, TEXT, STOP],
        [START, b"data:\n\n", TEXT, b"\n\n\n", STOP],
        [START, b"event: keepalive\n\n", TEXT, STOP],
        [b"retry: 3000\n\n", b"id: 7\n" + START, TEXT, STOP],
        [b"event: completion.chunk\n" + TEXT, STOP],
        [FILTERED, START, TEXT, STOP],
        [START, NO_DELTA, TEXT, STOP],
        PLACELESS,
        [event({"content": "A port."}, "", usage=None), event({}, "stop", usage=None), event({}, "")],
        [event({"content": "A port."}, "stop"), event({"content": ""}, "stop")],
        [event({"content": []}), event({"content": [{"type": "text", "text": "A port."}]}), STOP],
        [event({"content": "A "}), event({"content": [{"type": "text", "text": "port."}]}), STOP],
        [event({"content": "A port."}, usage={}), event({}, "stop", usage={})],
        [START, TEXT, event({"role": None, "content": None, "tool_calls": None}, "stop", timings={"a": 1})],
    ],
    ids=[
        "delta null", "choices null", "no choices", "fractional date", "ping", "ping object", "comment",
        "empty data", "name alone", "retry and id", "named chunks", "filter results first", "no delta",
        "no index", "finish reason empty", "finish reason twice", "content lists", "text, then a list",
        "usage empty", "nulls at the end",
    ],
)  # fmt: skip
def test_harmless_oddity_of_a_stream_is_read(events: list[bytes]) -> None:
    assert text_of(stream(*events)) == "A port."


@pytest.mark.parametrize(
    "done", [b"data:[DONE]\n\n", b"data: [DONE] \r\n\r\n", b"event: done\ndata: [DONE]\n\n"]
)
def test_terminal_event_may_be_written_in_any_way(done: bytes) -> None:
    assert text_of(read("text/event-stream", START + TEXT + STOP + done)) == "A port."


def test_members_without_object_are_read() -> None:
    chunk = {
        "id": "a",
        "created": 1,
        "model": "m",
        "choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}],
    }
    assert text_of(stream(b"data: " + json.dumps(chunk).encode() + b"\n\n")) == "hi"


def test_fraction_of_a_second_is_cut_off() -> None:
    answer = stream(event({"content": "hi"}, created=1700000000.75), STOP)
    assert isinstance(answer, Answer)
    assert answer.document["created"] == 1700000000


def test_keep_alive_leaves_nothing_in_the_answer() -> None:
    plain = stream(START, TEXT, STOP)
    assert stream(START, b'event: ping\ndata: {"type": "ping"}\n\n', TEXT, STOP) == plain


# ── harmless in an object ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        completion({"content": "A port."}, created=1700000000.5),
        completion({"content": [{"type": "text", "text": "A "}, {"type": "text", "text": "port."}]}),
        completion({"content": ["A port."]}),
        completion({"content": "A port."}, usage={}),
        completion({"content": "A port."}, usage=None),
        b"\n \n" + completion({"content": "A port."}),
        json.dumps(
            {**HEAD, "choices": [{"message": {"content": "A port."}, "finish_reason": "stop"}]}
        ).encode(),
    ],
    ids=["fractional date", "parts", "bare parts", "usage empty", "usage null", "spaces first", "no index"],
)
def test_harmless_oddity_of_an_object_is_read(body: bytes) -> None:
    answer = read("application/json", body)
    assert text_of(answer) == "A port."
    assert isinstance(answer, Answer)
    choices: Any = answer.document["choices"]
    assert choices[0]["message"]["content"] == "A port."


# ── not harmless ──────────────────────────────────────────────────────────────────────────────

NAMELESS_STOP = of(choices=[{"delta": {}, "finish_reason": "stop"}])


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([START, TEXT], "unfinished"),
        ([START, TEXT, event({}, "")], "unfinished"),
        ([START, TEXT, b'event: error\ndata: {"message": "x"}\n\n', STOP], "error"),
        ([START, b'event: ping\ndata: {"error": {"message": "x"}}\n\n', TEXT, STOP], "error"),
        ([START, TEXT, b'data: {"error": {"message": "x"}}\n\n', STOP], "error"),
        ([START, TEXT, b'event: chunk\ndata: {"choices": [{"ind\n\n', STOP], "malformed"),
        ([START, TEXT, b"data: ping\n\n", STOP], "malformed"),
        ([START, TEXT, STOP, event({}, "length")], "malformed"),
        ([START, TEXT, event({}, "length"), STOP], "malformed"),
        ([PLACELESS[0], NAMELESS_STOP, PLACELESS[0], NAMELESS_STOP], "malformed"),
        ([PLACELESS[0], PLACELESS[0], NAMELESS_STOP, NAMELESS_STOP], "malformed"),
        ([TEXT, event({"content": [{"type": "image_url", "image_url": {}}]}), STOP], "malformed"),
        ([event({"content": "x"}, "stop", created="now")], "malformed"),
        ([event({"content": "x"}, ["stop"])], "malformed"),
        (
            [of(choices=[{"index": 1, "delta": {"content": "x"}, "finish_reason": "stop"}])],
            "malformed",
        ),
    ],
)
def test_what_may_not_be_the_whole_answer_stays_unread(events: list[bytes], why: str) -> None:
    assert reason(stream(*events)) == why


def test_stream_without_its_terminal_event_is_cut_off() -> None:
    assert reason(read("text/event-stream", START + TEXT + STOP)) == "cut_off"


# ── nothing to reuse ──────────────────────────────────────────────────────────────────────────

EMPTY: list[dict[str, Any]] = [
    {},
    {"content": None},
    {"content": ""},
    {"content": " \n\t\u00a0"},
    {"content": []},
    {"content": [{"type": "text", "text": " "}]},
    {"content": None, "reasoning_content": "They ask about rivers."},
    {"content": "", "reasoning": "They ask about rivers."},
    {"content": "", "tool_calls": []},
    {"content": None, "refusal": "", "function_call": None, "audio": None},
]


@pytest.mark.parametrize("message", EMPTY)
def test_answer_that_says_nothing_is_empty(message: dict[str, Any]) -> None:
    said = {"role": "assistant", **message}
    assert reason(read("application/json", completion(said))) == "empty"
    assert reason(stream(event(said), STOP)) == "empty"


def test_one_empty_choice_spoils_the_answer() -> None:
    body = json.loads(completion({"content": "A port."}))
    body["choices"].append({"index": 1, "message": {"content": ""}, "finish_reason": "stop"})
    assert reason(read("application/json", json.dumps(body).encode())) == "empty"


def test_empty_answer_still_tells_its_usage() -> None:
    answer = read("application/json", completion({"content": ""}))
    assert isinstance(answer, Incomplete)
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2


@pytest.mark.parametrize(
    "message",
    [
        {"content": "0"},
        {"content": None, "refusal": "I cannot do that."},
        {"content": None, "audio": {"id": "audio_1", "data": "UklGRg=="}},
        {"content": "", "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,x"}}]},
        {"content": None, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}]},
    ],
)
def test_answer_without_text_may_say_something(message: dict[str, Any]) -> None:
    assert isinstance(read("application/json", completion(message)), Answer)


# ── usage ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (stream(START, TEXT, STOP), False),
        (stream(START, TEXT, event({}, "stop", usage=None)), False),
        (stream(START, TEXT, STOP, of(choices=[], usage=USAGE)), True),
        (read("application/json", completion({"content": "hi"})), True),
        (read("application/json", completion({"content": "hi"}, usage=None)), True),
    ],
    ids=["stream", "stream with null", "stream with usage", "object", "object without"],
)
def test_usage_is_unknown_only_where_the_pool_was_not_asked(
    answer: Answer | Incomplete,
    known: bool,  # noqa: FBT001 - a value to compare with
) -> None:
    assert isinstance(answer, Answer)
    assert answer.facts.usage_is_known is known
    assert OpenAIChat().restore(answer.document) == answer
