"""Whether two answers say the same, as far as that can be told."""

from __future__ import annotations

import pytest

from router_extproc.cache.false_hits.compare import AnswerComparison, Likeness
from router_extproc.llm.answer import AnswerFacts, Choice, ToolCall
from router_extproc.testing.fake_encoder import FakeEncoder

#: Enough words that one more or less hardly changes the vector.
LETTERS = " ".join("abcdefghijklmnopqrstuvwx")
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


@pytest.mark.parametrize(
    ("one", "other", "same", "certain"),
    [
        (answer("It is  Paris."), answer("it is Paris."), True, True),
        (answer(LETTERS + " y"), answer(LETTERS + " z"), True, False),
        (answer("It is Paris."), answer("It is Paris indeed."), True, False),
        (answer("It is Paris."), answer("Nobody can say."), False, False),
        (answer("It takes 30 minutes."), answer("It takes 40 minutes."), False, False),
        (answer(LONG), answer(LONG + "Indeed."), True, False),
        (answer("It is Paris."), answer(""), False, True),
        (answer("a"), answer("a", "a"), False, True),
        (answer("a", tool_calls=call("{}")), answer("a"), False, True),
        (answer("a", "It is Paris."), answer("a", "It is Paris indeed."), True, False),
        (answer("It is Paris.", "a"), answer("It is Paris indeed.", ""), False, True),
        (answer("It is Paris.", "a"), answer("It is Paris indeed.", "a"), True, False),
    ],
)
def test_only_equal_texts_are_surely_the_same(
    one: AnswerFacts, other: AnswerFacts, *, same: bool, certain: bool
) -> None:
    """What differs is not surely different, unless it has nothing to say, or calls something else."""
    assert AnswerComparison(FakeEncoder()).compare(one, other) == Likeness(same, certain)
