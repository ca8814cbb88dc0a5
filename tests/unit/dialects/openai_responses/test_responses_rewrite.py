"""Texts of responses are changed on their way, in every place that repeats them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any  # JSON

import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.base import TextFilter, TextForm
from router_extproc.dialects.openai_responses import rewrite
from router_extproc.llm.answer import Answer
from router_extproc.testing.check_dialect_rewriting import Keeps, keep

SAMPLES = Path(__file__).parents[3] / "samples" / "openai_responses"
RESPONSES = DIALECTS["openai_responses"]


class Loud(Keeps):
    """The whole text, in capitals, at its end."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        Loud.made += 1

    def finish(self) -> str:
        return super().finish().upper()


def loud(form: TextForm) -> TextFilter:
    del form
    return Loud()


def rewritten(body: bytes, content_type: str = "text/event-stream", make: Any = loud) -> list[dict[str, Any]]:
    rewriter = RESPONSES.rewrite_answer(content_type, make)
    assert rewriter is not None
    out = rewriter.feed(body, last=True).decode()
    if content_type != "text/event-stream":
        return [json.loads(out)]
    return [json.loads(frame.partition("data: ")[2]) for frame in out.removesuffix("\n\n").split("\n\n")]


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def delta(text: Any, kind: str = "output_text", **members: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "output_index": 0, "content_index": 0, "delta": text, **members}


@pytest.mark.parametrize("name", ["openai", "calls", "refusal", "vllm", "vllm-tool"])
def test_a_changed_stream_says_the_same_everywhere(name: str) -> None:
    """Its pieces joined, its whole texts and its last object; read again, it is a whole answer."""
    body = (SAMPLES / f"{name}.answer.sse").read_bytes()
    rewriter = RESPONSES.rewrite_answer("text/event-stream", loud)
    assert rewriter is not None
    out = rewriter.feed(body, last=True)
    reader = RESPONSES.read_answer("text/event-stream", max_answer_bytes=1 << 20)
    reader.feed(out)
    answer = reader.finish()
    assert isinstance(answer, Answer)
    (choice,) = answer.facts.choices
    assert choice.text == choice.text.upper()
    events = rewritten(body)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_what_is_held_back_comes_before_its_text_is_over() -> None:
    body = (SAMPLES / "openai.answer.sse").read_bytes()
    kinds = [event["type"] for event in rewritten(body, make=keep)]
    done = kinds.index("response.output_text.done")
    assert kinds[done - 1] == "response.output_text.delta"


def test_a_text_is_filtered_once_and_said_again() -> None:
    """Else a value that is put back would be counted for each place that repeats it."""
    Loud.made = 0
    part = {"type": "output_text", "text": "abc"}
    places = {"output_index": 0, "content_index": 0}
    events = rewritten(
        sse(
            delta("ab"),
            delta("c"),
            {"type": "response.output_text.done", **places, "text": "abc"},
            {"type": "response.content_part.done", **places, "part": part},
            {"type": "response.completed", "response": {"output": [{"content": [part]}]}},
        )
    )
    assert Loud.made == 1
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "ABC"


def test_an_object_is_changed_in_its_texts_alone() -> None:
    (answer,) = rewritten((SAMPLES / "calls.answer.json").read_bytes(), "application/json")
    call, custom = answer["output"]
    assert call["arguments"] == '{"PATH":"A B.PY","LINES":[1,40]}'
    assert (call["name"], call["call_id"], call["type"]) == ("read", "call_A1", "function_call")
    assert custom["input"].startswith("*** BEGIN")
    assert answer["model"] == "gpt-9-mini-2026-05-01"
    assert answer["instructions"] == "YOU ANSWER IN FEW WORDS."


def test_what_a_pool_says_of_a_failure_is_changed_too() -> None:
    (event,) = rewritten(sse({"error": {"message": "no such name: Ann"}}))
    assert event["error"]["message"] == "NO SUCH NAME: ANN"
    (named,) = rewritten(sse({"type": "error", "message": "Ann", "sequence_number": 3}))
    assert (named["message"], named["sequence_number"]) == ("ANN", 3)


def test_bytes_of_a_recording_are_no_text() -> None:
    assert rewritten(sse(delta("aGk=", "audio"), delta({"x": "ann"}, "hologram"))) == [
        delta("aGk=", "audio"),
        delta({"x": "ANN"}, "hologram"),
    ]


def test_events_without_numbers_stay_without() -> None:
    over = {"type": "response.output_item.done", "output_index": 0, "item": {}}
    events = rewritten(sse(delta("ann"), delta("bob", output_index=1), over, {"type": "response.later"}))
    assert [event.get("delta") for event in events] == ["", "", "ANN", None, None, "BOB"]
    assert all("sequence_number" not in event for event in events)


def test_only_so_many_texts_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are filtered piece by piece."""
    monkeypatch.setattr(rewrite, "FILTERS_MAX", 1)
    events = rewritten(sse(delta("ann"), delta("bob", output_index=1), delta("", output_index=2)))
    assert [event["delta"] for event in events] == ["", "BOB", "", "ANN"]


def test_only_so_much_is_remembered_to_be_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrite, "EVENT_BYTES_MAX", 1)
    over = {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "annbob"}
    assert rewritten(sse(delta("ann"), delta("bob"), over))[-1]["text"] == "ANNBOB"
