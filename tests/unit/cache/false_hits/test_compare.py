"""Whether two answers say the same, as far as that can be told."""

from __future__ import annotations

import pytest

from router_extproc.cache.false_hits.compare import AnswerComparison
from router_extproc.llm.answer import AnswerFacts, Choice, ToolCall
from router_extproc.testing.fake_encoder import FakeEncoder

LONG = "The bridge was opened to the public after years of work by many hands, and it still stands. " * 4


def answer(*texts: str, tool_calls: tuple[ToolCall, ...] = ()) -> AnswerFacts:
    return AnswerFacts("a", "m", tuple(Choice(text, "stop", tool_calls) for text in texts))


def call(arguments: str, name: str = "f") -> tuple[ToolCall, ...]:
    return (ToolCall(name, arguments),)


@pytest.mark.parametrize(
    ("cached", "fresh", "same"),
    [
        ("It is  Paris.\n", "it is Paris.", True),
        ("It is Paris.", "It is Paris indeed.", True),
        ("It is Paris.", "Nobody can say.", False),
        ("It takes 30 minutes.", "It takes 40 minutes.", False),
        ("It is allowed here.", "It is not allowed here.", False),
        (LONG + "It cost 30 million.", LONG + "It cost 40 million.", True),
        ("It is Paris.", "", False),
        ("", "", True),
    ],
)
def test_texts_are_compared_by_what_they_say(cached: str, fresh: str, *, same: bool) -> None:
    assert AnswerComparison(FakeEncoder()).same(answer(cached), answer(fresh)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (call('{"a": 1}'), call('{"a":1}'), True),
        (call('{"a": 1}'), call('{"a": 2}'), False),
        (call("{}"), call("{}", name="g"), False),
        (call("{"), call("{"), True),
        (call("{"), (), False),
    ],
)
def test_tool_calls_must_be_equal(
    one: tuple[ToolCall, ...], other: tuple[ToolCall, ...], *, same: bool
) -> None:
    comparison = AnswerComparison(FakeEncoder())
    assert comparison.same(answer("", tool_calls=one), answer("", tool_calls=other)) is same


def test_answers_with_more_choices_are_different() -> None:
    assert not AnswerComparison(FakeEncoder()).same(answer("a"), answer("a", "a"))


def test_every_choice_must_say_the_same() -> None:
    assert not AnswerComparison(FakeEncoder()).same(answer("a", "b"), answer("a", "c"))
