"""Why a model stopped, in words of our own."""

from __future__ import annotations

import pytest

from router_extproc.llm.answer import AnswerFacts, Choice, Incomplete


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        (["stop"], "stop"),
        (["stop", "tool_calls"], "tool_calls"),
        (["function_call"], "tool_calls"),
        (["what a pool calls it"], "other"),
        ([], "stop"),
    ],
)
def test_of_several_choices_the_one_that_did_not_just_end_tells(reasons: list[str], told: str) -> None:
    facts = AnswerFacts("a", "m", tuple(Choice("", reason) for reason in reasons))
    assert facts.finish_reason == told


@pytest.mark.parametrize(
    ("reason", "told"), [("length", "length"), ("finish_reason", "other"), ("cut_off", None), ("empty", None)]
)
def test_an_answer_that_is_not_whole_may_have_ended_all_the_same(reason: str, told: str | None) -> None:
    assert Incomplete(reason).finish_reason == told
