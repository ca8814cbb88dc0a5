"""Texts of Messages requests are found, and those of answers changed on their way."""

from __future__ import annotations

import json

import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.anthropic_messages import rewrite
from router_extproc.dialects.json_strings import text_of
from router_extproc.llm.answer import Answer
from router_extproc.testing.check_dialect_rewriting import loud

MESSAGES = DIALECTS["anthropic_messages"]


def texts(**members: object) -> dict[str, str]:
    body = json.dumps({"model": "auto", "max_tokens": 9, **members}).encode()
    return {text_of(body[each.start : each.end].decode()): each.part for each in MESSAGES.texts(body)}


def test_every_text_is_found_with_its_part() -> None:
    content = [
        {"type": "text", "text": "asked"},
        {"type": "tool_result", "tool_use_id": "t1", "content": "result"},
        {"type": "tool_result", "tool_use_id": "t2", "content": [{"type": "text", "text": "in a block"}]},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a plain text"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGFsbG8g" * 9}},
    ]
    said = [
        {"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"},
        {"type": "tool_use", "id": "t1", "name": "look", "input": {"id": "whose", "deep": {"to": "whom"}}},
    ]
    found = texts(
        system=[{"type": "text", "text": "rules"}],
        messages=[
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": said},
            {"role": "user", "content": content},
        ],
        tools=[{"name": "look", "description": "looks"}],
        metadata={"user_id": "me"},
    )
    assert found == {
        "rules": "system",
        "first": "user",
        "hm": "assistant",
        "whose": "tool_calls",
        "whom": "tool_calls",
        "asked": "user",
        "result": "tool",
        "in a block": "tool",
        "a plain text": "user",
        "looks": "tools",
        "me": "other",
    }


@pytest.mark.parametrize(
    "data",
    [
        "Mail:jo@example.com",
        "DE89370400440532013000",
        "4111111111111111\n" * 9,
        "给我打电话" * 20,
        "mail\tjo@example.com" * 9,
    ],
)
def test_a_document_is_a_text_also_where_it_has_no_spaces(data: str) -> None:
    block = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": data}}
    assert texts(messages=[{"role": "user", "content": [block]}]) == {data: "user"}


@pytest.mark.parametrize("data", ["JVBERi0x" * 900, "JVBERi0x" * 9 + "//8=", ("JVBERi0x" * 8 + "\r\n") * 9])
@pytest.mark.parametrize("slash", ["/", r"\/"])
def test_coded_bytes_are_no_text(data: str, slash: str) -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    content = [{"type": "document", "source": source}]
    body = json.dumps({"messages": [{"role": "user", "content": content}]}).replace("/", slash).encode()
    assert list(MESSAGES.texts(body)) == []


def event(kind: str, **members: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def delta(index: int, kind: str, member: str, text: str) -> bytes:
    return event("content_block_delta", index=index, delta={"type": kind, member: text})


START = {"id": "m", "type": "message", "role": "assistant", "model": "x", "content": [], "stop_reason": None}
STREAM = b"".join(
    [
        event("message_start", message={**START, "usage": {"input_tokens": 1, "output_tokens": 1}}),
        event("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}),
        delta(0, "thinking_delta", "thinking", "h"),
        delta(0, "thinking_delta", "thinking", "m"),
        delta(0, "signature_delta", "signature", "abc"),
        event("content_block_stop", index=0),
        event("content_block_start", index=1, content_block={"type": "text", "text": ""}),
        event("ping"),
        delta(1, "text_delta", "text", "say "),
        delta(1, "text_delta", "text", "it"),
        event("content_block_stop", index=1),
        event(
            "content_block_start",
            index=2,
            content_block={"type": "tool_use", "id": "t", "name": "f", "input": {}},
        ),
        delta(2, "input_json_delta", "partial_json", '{"a": '),
        delta(2, "input_json_delta", "partial_json", '"b"}'),
        event("content_block_stop", index=2),
        event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 5}),
        event("message_stop"),
    ]
)


def passed(body: bytes, content_type: str, *, size: int) -> bytes:
    rewriter = MESSAGES.rewrite_answer(content_type, loud)
    assert rewriter is not None
    pieces = [rewriter.feed(body[at : at + size], last=False) for at in range(0, len(body), size)]
    return b"".join(pieces) + rewriter.feed(b"", last=True)


def read(body: bytes) -> Answer:
    reader = MESSAGES.read_answer("text/event-stream", max_answer_bytes=2**20)
    reader.feed(body)
    answer = reader.finish()
    assert isinstance(answer, Answer)
    return answer


def test_each_block_of_a_stream_is_changed_by_itself() -> None:
    content = read(passed(STREAM, "text/event-stream", size=len(STREAM))).document["content"]
    assert content == [
        {"type": "thinking", "thinking": "HM", "signature": "abc"},
        {"type": "text", "text": "SAY IT"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"A": "B"}},
    ]


def test_every_cut_gives_the_same_events() -> None:
    whole = passed(STREAM, "text/event-stream", size=len(STREAM))
    assert passed(STREAM, "text/event-stream", size=1) == whole
    assert passed(STREAM, "text/event-stream", size=7) == whole


def test_what_is_held_back_is_an_event_with_its_name() -> None:
    out = passed(STREAM, "text/event-stream", size=11)
    assert b'event: content_block_delta\ndata: {"type":"content_block_delta","index":1,' in out


def test_an_unstreamed_answer_is_changed_in_its_texts_only() -> None:
    content = [
        {"type": "text", "text": "say"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": ["b"]}},
    ]
    body = json.dumps({**START, "content": content}).encode()
    got = json.loads(passed(body, "application/json", size=9))
    assert got["content"] == [
        {"type": "text", "text": "SAY"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": ["B"]}},
    ]
    assert got["model"] == "x"


def test_an_error_is_changed_too() -> None:
    body = b'{"type": "error", "error": {"type": "e", "message": "no"}}'
    assert b'"NO"' in passed(body, "application/json", size=9)
    assert b'"NO"' in passed(b"event: error\ndata: " + body + b"\n\n", "text/event-stream", size=9)


def test_events_of_an_odd_form_pass_as_they_are() -> None:
    odd = event("content_block_start", index=0, content_block="x") + event("content_block_delta", delta=[])
    assert passed(odd, "text/event-stream", size=9) == odd


def test_a_pool_cannot_open_texts_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrite, "FILTERS_MAX", 1)
    body = delta(0, "text_delta", "text", "a") + delta(1, "text_delta", "text", "b")
    out = passed(body, "text/event-stream", size=9)
    assert b'"text":"A"' in out
    assert b'"text":"B"' in out
