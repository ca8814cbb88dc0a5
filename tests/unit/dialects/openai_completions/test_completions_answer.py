"""Answers of the completions API: read, judged, replayed and changed; those of a real vLLM among them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any  # JSON trees

import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.openai_completions import rewrite
from router_extproc.llm.answer import Answer, Incomplete, Usage
from router_extproc.testing.check_dialect_rewriting import loud

COMPLETIONS = DIALECTS["openai_completions"]
SAMPLES = Path(__file__).parents[3] / "samples" / "openai_completions"
TYPES = {".json": "application/json", ".sse": "text/event-stream"}
REQUEST = COMPLETIONS.parse(b'{"model":"auto","prompt":"a"}')
STREAMED = replace(REQUEST, stream=True, stream_usage=True)
CHOICE = {"index": 0, "text": "a", "finish_reason": "stop"}
OBJECT = {"id": "cmpl-1", "created": 1, "model": "m", "choices": [CHOICE]}


def read(body: bytes, content_type: str = "application/json") -> Answer | Incomplete:
    reader = COMPLETIONS.read_answer(content_type, max_answer_bytes=1 << 20)
    reader.feed(body)
    return reader.finish()


def sample(name: str) -> Answer:
    answer = read((SAMPLES / name).read_bytes(), TYPES[Path(name).suffix])
    assert isinstance(answer, Answer)
    return answer


def whole(**members: object) -> Answer | Incomplete:
    return read(json.dumps({**OBJECT, **members}).encode())


def events(*documents: object, end: bool = True) -> bytes:
    frames = [b"data: " + json.dumps(each).encode() + b"\n\n" for each in documents]
    return b"".join(frames) + (b"data: [DONE]\n\n" if end else b"")


def streamed(*documents: object) -> Answer | Incomplete:
    return read(events(*documents), "text/event-stream")


def chunk(text: object, finish: object = None, **members: object) -> dict[str, object]:
    return {**OBJECT, "choices": [{"index": 0, "text": text, "finish_reason": finish, **members}]}


def choices_of(answer: Answer) -> list[dict[str, Any]]:
    choices: Any = answer.document["choices"]
    return list(choices)


@pytest.mark.parametrize("name", ["text", "several", "tokens", "stop"])
def test_an_answer_of_vllm_streamed_and_not_says_the_same(name: str) -> None:
    """The seed is the same; ids, dates and what vLLM leaves out of events differ."""
    one, other = sample(f"vllm-{name}.answer.json"), sample(f"vllm-{name}-usage.answer.sse")
    assert replace(other.facts, id=one.facts.id) == one.facts
    kept = ("index", "text", "finish_reason", "logprobs", "stop_reason", "token_ids", "prompt_token_ids")
    first, second = (
        [{name: choice[name] for name in kept} for choice in choices_of(each)] for each in (one, other)
    )
    assert first == second


def test_an_echo_that_was_cut_has_its_prompt_in_both_forms() -> None:
    kinds = ("vllm-echo-logprobs.answer.json", "vllm-echo-logprobs-usage.answer.sse")
    found = [read((SAMPLES / kind).read_bytes(), TYPES[Path(kind).suffix]) for kind in kinds]
    assert found == [Incomplete("length", Usage(18, 6))] * 2


@pytest.mark.parametrize(
    "name", ["vllm-several.answer.json", "vllm-tokens-usage.answer.sse", "vllm-stop-usage.answer.sse"]
)
def test_an_answer_of_vllm_is_replayed_whole(name: str) -> None:
    answer = sample(name)
    for request in (REQUEST, STREAMED):
        rendered = COMPLETIONS.render(answer, request)
        assert read(rendered.body, rendered.content_type) == answer


def test_usage_in_every_event_is_the_last_one() -> None:
    assert sample("vllm-usage-each.answer.sse").facts.usage == Usage(18, 23)


def test_usage_tells_what_was_cached_and_what_was_thought() -> None:
    details = {
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    told = {"prompt_tokens": 5, "completion_tokens": 3}
    usages = [
        {**told, **details},
        {**told, "prompt_tokens_details": None},
        {**told, "prompt_tokens_details": {}},
    ]
    found = [whole(usage=usage) for usage in usages]
    assert [answer.facts.usage for answer in found if isinstance(answer, Answer)] == [
        Usage(5, 3, cached_tokens=4, reasoning_tokens=2),
        Usage(5, 3),
        Usage(5, 3),
    ]


def test_an_answer_without_usage_is_marked_with_none() -> None:
    answer = whole(usage=None)
    assert isinstance(answer, Answer)
    assert COMPLETIONS.mark_cached(answer) == answer


def test_a_stream_without_usage_tells_none() -> None:
    answer = sample("vllm-text.answer.sse")
    assert not answer.facts.usage_is_known
    plain = COMPLETIONS.render(answer, replace(STREAMED, stream_usage=False))
    assert read(plain.body, plain.content_type) == answer


def test_an_answer_without_log_probabilities_is_replayed_without_any() -> None:
    answer = whole()
    assert isinstance(answer, Answer)
    assert b"logprobs" not in COMPLETIONS.render(answer, STREAMED).body


def test_lists_beside_the_choices_are_replayed_once() -> None:
    answer = whole(x_list=[1], x_flag=True, usage={"prompt_tokens": 1})
    assert isinstance(answer, Answer)
    body = COMPLETIONS.render(answer, STREAMED).body
    assert (body.count(b"x_list"), body.count(b"x_flag")) == (1, 2)
    assert read(body, "text/event-stream") == answer


@pytest.mark.parametrize("name", ["vllm-length.answer.json", "vllm-length.answer.sse"])
def test_a_completion_that_was_cut_is_no_answer(name: str) -> None:
    found = read((SAMPLES / name).read_bytes(), TYPES[Path(name).suffix])
    assert isinstance(found, Incomplete)
    assert found.reason == "length"


@pytest.mark.parametrize("name", ["model", "empty", "type", "suffix"])
def test_an_error_of_vllm_is_no_answer(name: str) -> None:
    assert read((SAMPLES / f"vllm-error-{name}.answer.json").read_bytes()) == Incomplete("error")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"choices": []}, "no_choices"),
        ({"choices": [{**CHOICE, "text": " \n"}]}, "empty"),
        ({"choices": [{**CHOICE, "finish_reason": None}]}, "unfinished"),
        ({"choices": [{**CHOICE, "finish_reason": "content_filter"}]}, "content_filter"),
        ({"choices": [{**CHOICE, "finish_reason": "abort"}]}, "finish_reason"),
        ({"choices": [CHOICE, CHOICE]}, "malformed"),
        ({"choices": [{**CHOICE, "text": None}]}, "malformed"),
        ({"choices": None}, "malformed"),
        ({"id": 5}, "malformed"),
        ({"error": {"message": "no"}}, "error"),
        ({"usage": {"prompt_tokens": "many"}}, "malformed"),
    ],
)
def test_what_is_not_the_whole_answer_says_why(members: dict[str, object], reason: str) -> None:
    found = whole(**members)
    assert isinstance(found, Incomplete)
    assert found.reason == reason


def test_choices_without_a_place_are_counted() -> None:
    answer = whole(choices=[{"text": "a", "finish_reason": "stop"}, {"text": "b", "finish_reason": "stop"}])
    assert isinstance(answer, Answer)
    assert [choice.text for choice in answer.facts.choices] == ["a", "b"]


def test_pieces_of_a_stream_are_joined() -> None:
    first = chunk("a", logprobs={"tokens": ["a"]}, token_ids=[1])
    second = chunk("b", "stop", logprobs={"tokens": ["b"]}, token_ids=[2])
    answer = streamed(first, second, {**OBJECT, "choices": None, "usage": {"prompt_tokens": 1}})
    assert isinstance(answer, Answer)
    assert choices_of(answer)[0] == {
        "index": 0, "text": "ab", "finish_reason": "stop",
        "logprobs": {"tokens": ["a", "b"]}, "token_ids": [1, 2],
    }  # fmt: skip
    assert answer.facts.usage == Usage(1, 0)


def test_an_entry_of_a_stream_may_leave_its_place_and_its_text_out() -> None:
    answer = streamed(
        {**OBJECT, "choices": [{"text": "a"}]}, {**OBJECT, "choices": [{"finish_reason": "stop"}]}
    )
    assert isinstance(answer, Answer)
    assert answer.facts.choices[0].text == "a"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (events(chunk("a"), {"error": {"message": "no"}}), "error"),
        (b"event: error\ndata: {}\n\n", "error"),
        (events(chunk("a", "stop"), chunk("", "length")), "malformed"),
        (events(chunk(5)), "malformed"),
        (b"data: no\n\n", "malformed"),
        (events(chunk("a", "stop"), end=False), "cut_off"),
    ],
)
def test_a_stream_that_is_no_answer_says_why(body: bytes, reason: str) -> None:
    assert read(body, "text/event-stream") == Incomplete(reason)


def test_a_keep_alive_of_a_proxy_is_passed_over() -> None:
    body = b"event: ping\ndata: now\n\n" + events(chunk("a", "stop"))
    assert isinstance(read(body, "text/event-stream"), Answer)


def test_only_a_complete_answer_is_restored() -> None:
    with pytest.raises(ValueError, match="length"):
        COMPLETIONS.restore({**OBJECT, "choices": [{**CHOICE, "finish_reason": "length"}]})


# ── answers whose texts are changed ───────────────────────────────────────────────────────────


def changed(body: bytes, content_type: str = "text/event-stream") -> bytes:
    rewriter = COMPLETIONS.rewrite_answer(content_type, loud)
    assert rewriter is not None
    return rewriter.feed(body, last=True)


def test_texts_of_an_answer_are_changed() -> None:
    body = changed(json.dumps({**OBJECT, "error": {"message": "why"}}).encode(), "application/json")
    document = json.loads(body)
    assert (document["choices"][0]["text"], document["error"]["message"]) == ("A", "WHY")


def test_texts_of_a_stream_are_changed_choice_by_choice() -> None:
    both = [{"index": 0, "text": "a"}, {"index": 1, "text": "b"}]
    done = [{"index": 0, "text": "c", "finish_reason": "stop"}]
    found = changed(events({**OBJECT, "choices": both}, {**OBJECT, "choices": done}))
    frames = [json.loads(frame[6:]) for frame in found.split(b"\n\n") if frame.startswith(b"data: {")]
    said = [(choice["index"], choice["text"]) for frame in frames for choice in frame["choices"]]
    assert said == [(0, ""), (1, ""), (0, "AC"), (1, "B")]
    assert frames[-1]["model"] == "m"


def test_what_is_no_choice_passes_as_it_is() -> None:
    body = events({"choices": 5}, {"choices": [5, {"text": 7}]})
    assert changed(body) == body


def test_texts_of_an_answer_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile pool may send any number of choices; those beyond are changed piece by piece."""
    monkeypatch.setattr(rewrite, "FILTERS_MAX", 1)
    both = [{"index": 0, "text": "a"}, {"index": 1, "text": "b"}]
    found = changed(events({**OBJECT, "choices": both}))
    assert b'"text":"B"' in found
