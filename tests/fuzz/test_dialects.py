"""Dialects against any bytes: requests, edits, answers cut anywhere, answers made up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any  # JSON trees

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.base import Dialect
from router_extproc.dialects.edit_json import edit_json
from router_extproc.dialects.sse import SseReader
from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import Answer, Incomplete
from router_extproc.llm.changes import (
    ParameterChanges,
    ReasoningChange,
    ReplaceSystemPrompt,
    RequestChanges,
    SurroundSystemPrompt,
)
from router_extproc.llm.edits import Add, Set
from router_extproc.llm.request import InferenceRequest
from router_extproc.llm.stored import decode_document, encode_answer

SAMPLES = Path(__file__).parents[1] / "samples"
STREAMS = sorted(SAMPLES.glob("*/*.sse"))
ROOM_BYTES = 1 << 20
#: So much of a stream is cut at every byte; the work grows with the square.
CUT_BYTES = 3000
#: Replays are cut at so many places, short ones at every byte.
REPLAY_CUTS = 1000
CHAT = DIALECTS["openai_chat"]
REQUEST = CHAT.parse(b'{"model":"a","messages":[{"role":"user","content":"q"}]}')

NAMES = st.sampled_from(
    [
        "model",
        "messages",
        "role",
        "content",
        "type",
        "text",
        "user",
        "stream",
        "stream_options",
        "tools",
        "n",
        "x",
    ]
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | NAMES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=25,
)
PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "refusal", "image_url", "x"])}, optional={"text": TREES}
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "x"]) | TREES},
    optional={"content": TREES | st.lists(PARTS | TREES, max_size=3), "tool_calls": TREES, "name": TREES},
)
PROMPTS = st.text(max_size=5) | st.lists(st.text(max_size=3) | st.integers(0, 9), max_size=3) | TREES
REQUESTS = st.fixed_dictionaries(
    {
        "model": st.text(max_size=4) | TREES,
        "messages": st.lists(MESSAGES, max_size=4) | TREES,
        "prompt": PROMPTS,
    },
    optional={
        "input": TREES,
        "stream": TREES,
        "stream_options": TREES,
        "tools": TREES,
        "temperature": TREES,
        "x": TREES,
    },
)


def parse(dialect: Dialect, body: bytes) -> InferenceRequest | None:
    """The request, or None for the one error that `parse` may raise."""
    try:
        return dialect.parse(body)
    except MalformedRequest:
        return None


def read(dialect: Dialect, content_type: str, *pieces: bytes) -> Answer | Incomplete:
    reader = dialect.read_answer(content_type, max_answer_bytes=ROOM_BYTES)
    for piece in pieces:
        reader.feed(piece)
    return reader.finish()


# ── requests ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", DIALECTS)
@given(body=st.binary(max_size=200) | (REQUESTS | TREES).map(lambda tree: json.dumps(tree).encode()))
def test_any_body_is_a_request_or_malformed(name: str, body: bytes) -> None:
    dialect = DIALECTS[name]
    request = parse(dialect, body)
    if request is not None:
        edited = dialect.edit(body, [Set(("model",), "pool/model"), Add(("added",), 1)])
        before, after = json.loads(body), json.loads(edited)
        assert after == {"added": 1, **before, "model": "pool/model"}
        again = dialect.parse(edited)
        assert replace(again, model=request.model, body_bytes=request.body_bytes, context=()) == replace(
            request, context=()
        )


CHANGES = st.builds(
    RequestChanges,
    st.none()
    | st.builds(SurroundSystemPrompt, st.just("Before."), st.just("After."))
    | st.builds(ReplaceSystemPrompt, st.just("Instead.")),
    st.builds(
        ParameterChanges,
        st.just((("temperature", b"0"),)) | st.just(()),
        st.just((("max_tokens", b"9"),)) | st.just(()),
        st.just((("n", 1),)) | st.just(()),
        st.just(("x",)) | st.just(()),
    ),
    st.none() | st.builds(ReasoningChange, on=st.booleans(), force=st.booleans()),
)


@pytest.mark.parametrize("name", DIALECTS)
@given(tree=REQUESTS, changes=CHANGES, family=st.sampled_from(["qwen3", "gpt_oss", None]))
def test_a_changed_request_is_a_request_with_the_same_question(
    name: str, tree: object, changes: RequestChanges, family: str | None
) -> None:
    dialect, body = DIALECTS[name], json.dumps(tree).encode()
    request = parse(dialect, body)
    if request is not None:
        changed = dialect.parse(dialect.edit(body, dialect.edits(request, changes, family=family)))
        assert (changed.prompt, changed.history, changed.later) == (
            request.prompt,
            request.history,
            request.later,
        )
        if changes.system_prompt is None or "system_prompt" not in dialect.changeable:
            assert changed.system == request.system
        else:
            assert changed.system.startswith(("Before.", "Instead."))


@pytest.mark.parametrize("name", DIALECTS)
@given(data=st.data())
def test_any_changed_byte_is_a_request_or_malformed(name: str, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(sorted((SAMPLES / name).glob("*.request.json"))))
    body = bytearray(file.read_bytes())
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    parse(DIALECTS[name], bytes(body))


# ── answers ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("file", STREAMS, ids=lambda file: f"{file.parent.name}/{file.name}")
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_stream_cut_at_any_byte_has_the_same_events(file: Path, end: bytes) -> None:
    """Inside a character, between CR and LF, inside a field name: nowhere does it matter."""
    body = file.read_bytes()[:CUT_BYTES].replace(b"\n", end)
    whole = SseReader(max_event_bytes=ROOM_BYTES).feed(body)
    for cut in range(len(body)):
        reader = SseReader(max_event_bytes=ROOM_BYTES)
        assert reader.feed(body[:cut]) + reader.feed(body[cut:]) == whole


@pytest.mark.parametrize(
    ("dialect", "name"),
    [
        ("openai_chat", "vllm-reasoning"),
        ("openai_chat", "vllm-tools"),
        ("openai_completions", "vllm-stop-usage"),
    ],
)
def test_stream_cut_at_any_byte_is_the_same_answer(dialect: str, name: str) -> None:
    body = (SAMPLES / dialect / f"{name}.answer.sse").read_bytes()
    whole = read(DIALECTS[dialect], "text/event-stream", body)
    assert isinstance(whole, Answer)
    for cut in range(len(body)):
        assert read(DIALECTS[dialect], "text/event-stream", body[:cut], body[cut:]) == whole


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("file", STREAMS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_replay_cut_at_any_byte_is_the_answer_stored(name: str, file: Path) -> None:
    """Of every stream that the dialect reads as an answer."""
    dialect = DIALECTS[name]
    answer = read(dialect, "text/event-stream", file.read_bytes())
    if isinstance(answer, Answer):
        request = replace(REQUEST, dialect=name, stream=True, stream_usage=answer.facts.usage_is_known)
        body = dialect.render(answer, request).body
        for cut in range(0, len(body), -(-len(body) // REPLAY_CUTS)):
            assert read(dialect, "text/event-stream", body[:cut], body[cut:]) == answer


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@given(data=st.data())
def test_stream_in_any_pieces_is_the_same_answer(end: bytes, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(STREAMS))
    body = file.read_bytes().replace(b"\n", end)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=20)))
    pieces = [body[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert read(CHAT, "text/event-stream", *pieces) == read(CHAT, "text/event-stream", file.read_bytes())


SSE_LINES = st.lists(
    st.sampled_from(
        [
            b"data: a",
            b"data:\xc3\xa9",
            b"data",
            b"event: e",
            b"id: 1",
            b": c",
            b"\xef\xbb\xbfdata: b",
            b"",
            b"",
        ]
    )
    | st.binary(max_size=6),
    max_size=12,
)


@given(lines=SSE_LINES, ends=st.lists(st.sampled_from([b"\n", b"\r", b"\r\n"]), min_size=12, max_size=12))
def test_events_do_not_depend_on_the_cuts(lines: list[bytes], ends: list[bytes]) -> None:
    body = b"".join(line + end for line, end in zip(lines, ends, strict=False))
    whole = SseReader(max_event_bytes=100).feed(body)
    reader = SseReader(max_event_bytes=100)
    single = [event for place in range(len(body)) for event in reader.feed(body[place : place + 1])]
    assert single == whole


@pytest.mark.parametrize("name", DIALECTS)
@given(
    content_type=st.sampled_from(["application/json", "text/event-stream", "text/html"]),
    pieces=st.lists(
        st.binary(max_size=40) | TREES.map(lambda tree: b"data: " + json.dumps(tree).encode() + b"\n\n")
    ),
)
def test_no_bytes_of_a_pool_raise(name: str, content_type: str, pieces: list[bytes]) -> None:
    assert isinstance(read(DIALECTS[name], content_type, *pieces), Answer | Incomplete)


ANSWER_NAMES = st.sampled_from(
    ["role", "content", "refusal", "reasoning", "tool_calls", "function_call", "audio", "x"]
)
ANSWER_TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "assistant", "function"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            ANSWER_NAMES | st.sampled_from(["id", "type", "name", "arguments", "function", "index"]), inner
        )
    ),
    max_leaves=12,
)
DELTAS = st.dictionaries(ANSWER_NAMES, ANSWER_TREES)
#: Values of members that only one pool knows.
FREE_VALUES = st.sampled_from(
    [None, True, 0, 2.5, "", "a", [], [None, "a"], {}, {"data": "AA", "n": {"m": []}}]
)
FRAGMENTS = st.none() | st.text(max_size=4)
SOUND_CALLS = st.integers(0, 1).flatmap(
    lambda index: st.fixed_dictionaries(
        {
            "index": st.just(index),
            "id": st.just(f"c{index}"),
            "function": st.just({"name": "f", "arguments": "{"}),
        },
        optional={"type": st.just("function"), "x": FREE_VALUES},
    )
)
SOUND_DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "role": st.just("assistant"),
        "content": FRAGMENTS,
        "reasoning": FRAGMENTS,
        "reasoning_content": FRAGMENTS,
        "refusal": FRAGMENTS,
        "tool_calls": st.lists(SOUND_CALLS, max_size=2),
        "function_call": st.just({"name": "f", "arguments": "{"}),
        "audio": FREE_VALUES,
        "x": FREE_VALUES,
    },
)


def chunks_of(deltas: st.SearchStrategy[Any], indexes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    choice = st.fixed_dictionaries(
        {"index": indexes, "delta": deltas}, optional={"finish_reason": st.none(), "logprobs": ANSWER_TREES}
    )
    return st.fixed_dictionaries(
        {"choices": st.lists(choice, max_size=2)}, optional={"x": ANSWER_TREES, "usage": st.none()}
    )


CHUNKS = chunks_of(SOUND_DELTAS, st.integers(0, 1)) | chunks_of(
    DELTAS | ANSWER_TREES, st.integers(0, 1) | ANSWER_TREES
)
START = {"id": "a", "model": "m", "created": 1, "choices": []}
#: Else a choice might say nothing, which is no answer.
SAID = {"choices": [{"index": index, "delta": {"content": "!"}} for index in (0, 1)]}
END = {"choices": [{"index": index, "delta": {}, "finish_reason": "stop"} for index in (0, 1)]}


@given(chunks=st.lists(CHUNKS, max_size=6))
def test_any_stream_is_read_or_refused_and_what_is_read_can_be_replayed(chunks: list[Any]) -> None:
    body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in [START, *chunks, END])
    answer = read(CHAT, "text/event-stream", body + b"data: [DONE]\n\n")
    if isinstance(answer, Answer):
        check_replay(answer)


@given(chunks=st.lists(chunks_of(SOUND_DELTAS, st.integers(0, 1)), max_size=8))
def test_sound_streams_are_read(chunks: list[Any]) -> None:
    events = [START, *chunks, SAID, END]
    body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in events)
    answer = read(CHAT, "text/event-stream", body + b"data: [DONE]\n\n")
    assert isinstance(answer, Answer)
    sent = [
        entry["delta"].get("content") or ""
        for chunk in chunks
        for entry in chunk["choices"]
        if not entry["index"]
    ]
    assert answer.facts.choices[0].text == "".join(sent) + "!"
    check_replay(answer)


@given(message=DELTAS, extra=st.dictionaries(ANSWER_NAMES, ANSWER_TREES), usage=ANSWER_TREES)
def test_any_completion_is_read_or_refused_and_what_is_read_can_be_replayed(
    message: Any, extra: Any, usage: Any
) -> None:
    choice = {**extra, "index": 0, "message": message, "finish_reason": "stop"}
    document = {**extra, **START, "choices": [choice], "usage": usage}
    answer = read(CHAT, "application/json", json.dumps(document).encode())
    if isinstance(answer, Answer):
        check_replay(answer)
        rendered = json.loads(CHAT.render(answer, REQUEST).body)
        expected = {"role": "assistant", "content": None, **message}
        if isinstance(expected["content"], list):  # text in parts becomes text
            expected["content"] = "".join(expected["content"]) if expected["content"] else None
        assert rendered["choices"][0]["message"] == expected


def check_replay(answer: Answer) -> None:
    """Both forms, and the stored one, give the answer back; the stored one to the byte."""
    restored = CHAT.restore(decode_document(encode_answer(answer)))
    assert restored == answer
    assert orjson.dumps(restored.document) == orjson.dumps(answer.document)
    for request in (REQUEST, replace(REQUEST, stream=True, stream_usage=True)):
        rendered = CHAT.render(answer, request)
        again = read(CHAT, rendered.content_type, rendered.body)
        # Only an object says that there is no usage; a stream says nothing.
        assert again == answer or (answer.facts.usage is None and untold(again) == untold(answer))
    plain = CHAT.render(answer, replace(REQUEST, stream=True))
    assert read(CHAT, plain.content_type, plain.body) == untold(answer)


def untold(answer: Answer | Incomplete) -> Answer:
    """The same answer of a pool that was not asked for usage."""
    assert isinstance(answer, Answer)
    document = {name: value for name, value in answer.document.items() if name != "usage"}
    return Answer(replace(answer.facts, usage=None, usage_is_known=False), document)


# ── the round trip over every answer that can be ──────────────────────────────────────────────

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["def f():\n\treturn 1\r\n", "\u2028\u2029\x85", "🧑‍🌾é\0", "data: [DONE]\n\n", 'quote"\\\\']
)


def bodies(kind: str, text: str) -> st.SearchStrategy[Any]:
    """A tool call of this kind."""
    body = st.fixed_dictionaries({"name": TEXTS, text: TEXTS}, optional={"strict": st.booleans()})
    identity = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
    return st.fixed_dictionaries(
        {"id": identity, "type": st.just(kind), kind: body},
        optional={"extra_content": st.integers(0, 9) | TEXTS},
    )


CALLS = st.lists(bodies("function", "arguments") | bodies("custom", "input"), min_size=1, max_size=3)
LEGACY = st.fixed_dictionaries({"name": st.text("abc", min_size=1), "arguments": TEXTS})
MESSAGES_MADE = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | TEXTS},
    optional={
        "tool_calls": CALLS,
        "function_call": LEGACY,
        "reasoning": st.none() | TEXTS,
        "reasoning_content": st.none() | TEXTS,
        "refusal": st.none() | TEXTS,
        **dict.fromkeys(("annotations", "audio", "y", "z"), ANSWER_TREES),
    },
)


@st.composite
def choices(draw: st.DrawFn, index: int) -> Any:
    message = draw(MESSAGES_MADE)
    called = "tool_calls" in message or "function_call" in message
    if not called and not (message["content"] or "").strip():
        message["content"] = "!"  # saying nothing is no answer
    finish = draw(st.sampled_from(["stop", "tool_calls"])) if called else "stop"
    extra = draw(st.dictionaries(st.sampled_from(["logprobs", "stop_reason"]), ANSWER_TREES))
    return {"index": index, "message": message, "finish_reason": finish, **extra}


USAGES = st.builds(
    lambda prompt, completion, cached: {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    },
    st.integers(0, 1 << 40),
    st.integers(0, 1 << 40),
    st.integers(0, 9),
)
ANSWERS = st.fixed_dictionaries(
    {
        "id": st.text("abc", min_size=1),
        "model": TEXTS,
        "created": st.integers(0, 1 << 40),
        "choices": st.integers(1, 3).flatmap(lambda n: st.tuples(*[choices(index) for index in range(n)])),
    },
    optional={
        "usage": st.none() | USAGES,
        **dict.fromkeys(("system_fingerprint", "service_tier", "prompt_token_ids"), ANSWER_TREES),
    },
).map(lambda document: CHAT.restore(orjson.loads(orjson.dumps(document))))


@given(ANSWERS)
def test_every_answer_survives_storing_and_both_replays(answer: Answer) -> None:
    check_replay(answer)


@given(ANSWERS, st.data())
def test_damaged_stored_answers_are_refused_or_read(answer: Answer, data: st.DataObject) -> None:
    """No other error may leave them: the cache treats a ValueError as a miss."""
    stored = bytearray(encode_answer(answer))
    stored[data.draw(st.integers(0, len(stored) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_back = CHAT.restore(decode_document(bytes(stored)))
    except ValueError:
        return
    assert orjson.dumps(read_back)


V1_NAMES = st.sampled_from(
    ["id", "model", "created_s", "choices", "usage", "extra", "index", "content", "kind", "name", "arguments"]
)


@given(
    st.dictionaries(V1_NAMES, ANSWER_TREES), st.lists(V1_NAMES | st.integers(0, 2), max_size=4), ANSWER_TREES
)
def test_any_document_is_restored_or_refused(members: Any, path: list[str | int], value: Any) -> None:
    """Exports are files of operators, of this version and of the one before."""
    damaged = orjson.loads((SAMPLES / "openai_chat" / "stored-v1.json").read_bytes())
    if path:
        damaged = orjson.loads(edit_json(orjson.dumps(damaged), [Set(tuple(path), value)]))
    for document in (damaged, {"created_s": 1, **members}):
        try:
            assert orjson.dumps(CHAT.restore(document).document)
        except ValueError:
            continue
