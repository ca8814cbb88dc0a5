"""Texts of chat completions are changed on their way, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from router_extproc.dialects import DIALECTS, rewriters
from router_extproc.dialects.base import AnswerRewriter, TextFilter, TextForm
from router_extproc.dialects.openai_chat import rewrite as chat_rewrite
from router_extproc.llm.answer import Answer

SAMPLES = Path(__file__).parents[3] / "samples"
CHAT = DIALECTS["openai_chat"]


class Held:
    """Puts `to` where `text` has <x>; holds back its last two characters, if one may begin with them."""

    def __init__(self, form: TextForm) -> None:
        self._to = "ja\\n" if form == "json" else "ja\n"
        self._held = ""

    def feed(self, piece: str) -> str:
        text = (self._held + piece).replace("<x>", self._to)
        keep = next((size for size in (2, 1) if text.endswith("<x"[:size])), 0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        text, self._held = self._held, ""
        return text

    @property
    def holds(self) -> bool:
        return bool(self._held)


class Same:
    """Changes nothing."""

    holds = False

    def __init__(self, form: TextForm) -> None:
        del form

    def feed(self, piece: str) -> str:
        return piece

    def finish(self) -> str:
        return ""


def rewriter(content_type: str, make: type[TextFilter] = Held) -> AnswerRewriter:
    found = CHAT.rewrite_answer(content_type, make)
    assert found is not None
    return found


def passed(body: bytes, *cuts: int, content_type: str = "text/event-stream") -> bytes:
    one = rewriter(content_type)
    parts = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    return b"".join([one.feed(part, last=False) for part in parts]) + one.feed(b"", last=True)


def event(index: int = 0, finish: str | None = None, **delta: object) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def read(body: bytes) -> Answer:
    reader = CHAT.read_answer("text/event-stream", max_answer_bytes=2**20)
    reader.feed(body)
    answer = reader.finish()
    assert isinstance(answer, Answer)
    return answer


def call(arguments: str, index: int = 0, **more: object) -> dict[str, object]:
    return {"index": index, **more, "function": {"arguments": arguments}}


STREAM = b"".join(
    [
        event(role="assistant", content=""),
        event(reasoning_content="hm <"),
        event(reasoning_content="x> hm <"),
        b": keep-alive\n\n",
        event(content="say <"),
        event(1, content="<x"),
        event(content="x> and <x"),
        event(1, content="> two <"),
        event(1, "stop", content="x>"),
        event(
            tool_calls=[
                {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}
            ]
        ),
        event(tool_calls=[call('{"a": "<')]),
        event(tool_calls=[call('x>"}')]),
        event(0, "tool_calls"),
        DONE,
    ]
)


def test_each_text_is_changed_by_itself() -> None:
    first, second = read(passed(STREAM)).facts.choices
    assert (first.text, second.text) == ("say ja\n and <x", "ja\n two ja\n")
    assert first.tool_calls[0].arguments == '{"a": "ja\\n"}'
    message = read(passed(STREAM)).document["choices"][0]["message"]
    assert message["reasoning_content"] == "hm ja\n hm <"


def test_every_cut_at_every_byte_gives_the_same_answer() -> None:
    whole = passed(STREAM)
    for cut in range(len(STREAM)):
        assert passed(STREAM, cut) == whole
    assert passed(STREAM, *range(1, len(STREAM))) == whole


def test_line_ends_of_any_kind_are_events_ends() -> None:
    whole = read(passed(STREAM))
    for end in (b"\r\n", b"\r"):
        body = STREAM.replace(b"\n", end)
        assert read(passed(body, *range(1, len(body)))) == whole


def test_a_line_end_of_two_characters_is_never_parted() -> None:
    """A client that knows no other line end would miss the end of an event."""
    body = STREAM.replace(b"\n", b"\r\n")
    whole = passed(body)
    assert [cut for cut in range(len(body)) if passed(body, cut) != whole] == []


def test_what_is_held_back_comes_before_the_end_of_its_text() -> None:
    body = event(content="a <x") + event(0, "stop") + DONE
    chunks = [
        orjson.loads(line[6:]) for line in passed(body).split(b"\n\n") if line and line[6:] != b"[DONE]"
    ]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas == [{"content": "a "}, {"content": "<x"}, {}]
    assert chunks[1]["id"] == "c"


def test_a_stream_that_breaks_off_gives_what_it_held() -> None:
    assert b'"<x"' in passed(event(content="a <x"))


def test_content_in_parts_is_changed_part_by_part() -> None:
    body = event(content=[{"type": "text", "text": "a <"}, {"type": "text", "text": "x> b"}, {}]) + DONE
    [chunk] = [orjson.loads(line[6:]) for line in passed(body).split(b"\n\n") if line.startswith(b"data: {")]
    assert [part.get("text") for part in chunk["choices"][0]["delta"]["content"]] == ["a ", "ja\n b", None]


def test_arguments_that_are_held_back_come_before_the_end() -> None:
    body = event(tool_calls=[call("<x", index=3)]) + event(0, "tool_calls") + DONE
    assert b'"delta":{"tool_calls":[{"index":3,"function":{"arguments":"<x"}}]}' in passed(body)


def test_a_legacy_call_is_flushed_as_one() -> None:
    body = event(function_call={"name": "f", "arguments": "<x"}) + event(0, "function_call") + DONE
    assert b'"delta":{"function_call":{"arguments":"<x"}}' in passed(body)


def test_a_filter_that_keeps_nothing_in_the_end_gives_no_event() -> None:
    class Forgets(Held):
        def finish(self) -> str:
            super().finish()
            return ""

    one = rewriter("text/event-stream", Forgets)
    assert one.feed(event(content="a <x") + DONE, last=True).count(b"data: ") == 2


def test_a_pool_cannot_open_texts_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those over the bound are changed piece by piece."""
    monkeypatch.setattr(chat_rewrite, "FILTERS_MAX", 1)
    body = event(0, content="<") + event(1, content="<x>") + event(0, content="x>") + DONE
    assert passed(body).count(b"ja\\n") == 2


def test_an_event_without_a_change_passes_byte_for_byte() -> None:
    body = b'event: x\nid: 7\ndata:  { "choices" : [ {"delta": {"content": "a"}, "index":0 } ] }\n\n'
    assert passed(body) == body


def test_other_lines_of_a_changed_event_stay() -> None:
    body = b'id: 7\ndata: {"choices":\ndata: [{"delta": {"content": "<x>"}, "index":0 }]}\n\n'
    assert passed(body) == b'id: 7\ndata: {"choices":[{"delta":{"content":"ja\\n"},"index":0}]}\n\n'


def test_an_error_in_a_stream_is_changed_too() -> None:
    assert b"ja\\n" in passed(b'data: {"error": {"message": "bad <x>"}}\n\n')
    assert passed(b"data: oops <x>\n\n") == b"data: oops ja\ndata: \n\n"


def test_a_json_answer_is_held_until_it_is_whole() -> None:
    answer = {
        "choices": [
            {
                "index": 0,
                "message": {
                    "content": "a <x>",
                    "tool_calls": [{"function": {"name": "f", "arguments": '"<x>"'}}],
                },
            }
        ]
    }
    body = json.dumps(answer).encode()
    one = rewriter("application/json; charset=utf-8")
    assert one.feed(body[:40], last=False) == b""
    changed = orjson.loads(one.feed(body[40:], last=False))
    message = changed["choices"][0]["message"]
    assert (message["content"], message["tool_calls"][0]["function"]["arguments"]) == ("a ja\n", '"ja\\n"')
    assert one.feed(b"", last=True) == b""


def test_every_cut_of_a_json_answer_gives_the_same() -> None:
    body = b'{"choices":[{"index":0,"message":{"content":"a <x> {}"}}]}'
    whole = passed(body, content_type="application/json")
    assert all(passed(body, cut, content_type="application/json") == whole for cut in range(len(body)))


def test_a_json_answer_without_a_change_passes_byte_for_byte() -> None:
    body = b'{ "choices" : [ ] , "x": 1.50 }\n'
    assert passed(body, content_type="application/json") == body


@pytest.mark.parametrize("body", [b"<x> no json", b'[1, "<x>"]', b'{"error": {"message": "<x>"}}'])
def test_what_is_no_completion_is_changed_as_text(body: bytes) -> None:
    assert b"<x>" not in passed(body, content_type="application/json")


@pytest.mark.parametrize("more", ["NaN", "1E400", r'"\ud800"'])
@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
def test_an_object_that_cannot_be_read_here_stays_json(more: str, content_type: str) -> None:
    body = f'{{"x": {more}, "choices": [{{"message": {{"content": "say <x>"}}}}]}}'.encode()
    start = b"data: " if content_type == "text/event-stream" else b""
    told = passed(start + body + b"\n\n", content_type=content_type).removeprefix(b"data: ")
    assert json.loads(told)["choices"][0]["message"]["content"] == "say ja\n"


def test_other_content_types_cannot_be_changed() -> None:
    assert CHAT.rewrite_answer("text/html", Held) is None


def test_an_answer_over_the_bounds_becomes_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewriters, "JSON_BYTES_MAX", 10)
    monkeypatch.setattr(rewriters, "EVENT_BYTES_MAX", 10)
    body = b'{"choices": "' + b"x" * 50
    assert b"router_unavailable" in passed(body, content_type="application/json")
    streamed = passed(event(content="ok") + body, len(event(content="ok")))
    assert streamed.startswith(event(content="ok"))
    assert b"router_unavailable" in streamed


@pytest.mark.parametrize("sample", sorted(SAMPLES.rglob("*.sse")), ids=lambda path: path.name)
def test_recorded_streams_pass_byte_for_byte(sample: Path) -> None:
    body = sample.read_bytes()
    one = rewriter("text/event-stream", Same)
    assert (
        b"".join([one.feed(body[i : i + 7], last=False) for i in range(0, len(body), 7)])
        + one.feed(b"", last=True)
        == body
    )


@pytest.mark.parametrize("sample", sorted(SAMPLES.rglob("*answer.json")), ids=lambda path: path.name)
def test_recorded_answers_pass_byte_for_byte(sample: Path) -> None:
    body = sample.read_bytes()
    one = rewriter("application/json", Same)
    assert one.feed(body, last=False) + one.feed(b"", last=True) == body
