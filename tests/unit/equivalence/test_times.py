"""Of what time it is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.equivalence import QUESTION_CHARS_MAX, read_question
from router_extproc.equivalence.times import same_time


def refusal(one: str, other: str) -> str | None:
    """Both orders say the same."""
    said = same_time(read_question(one), read_question(other))
    assert same_time(read_question(other), read_question(one)) == said
    return said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who sang here last spring?", "Who will sing here next spring?"),
        ("Which films came out this year?", "Which films came out in the past year?"),
        ("What changed in the last few years?", "What will change in the next ten years?"),
        ("Is it windy today?", "Was it windy yesterday?"),
        ("What is on tonight?", "What was on last night?"),
    ],
)
def test_another_period_is_another_time(one: str, other: str) -> None:
    assert refusal(one, other) == "time"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What will the jury say?", "What did the jury say?"),
        ("Who will sing in the opera?", "Who sang in the opera?"),
        ("Who is the mayor of Bath?", "Who was the mayor of Bath?"),
        ("Who is the mayor of Bath?", "Who will be the mayor of Bath?"),
        ("Is fishing allowed here?", "Was fishing allowed here?"),
        ("Who owns the mill?", "Who owned the mill?"),
        ("How much does milk cost?", "How much did milk cost?"),
    ],
)
def test_what_holds_for_a_time_does_not_hold_at_another(one: str, other: str) -> None:
    assert refusal(one, other) == "time"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who is Cleopatra?", "Who was Cleopatra?"),
        ("Who is the best mayor of all time?", "Who was the best mayor of all time?"),
        ("How much does it cost to paint a car?", "How much will it cost to paint a car?"),
        ("What will happen if the dam breaks?", "What happened if the dam broke?"),
        ("Why did he live here?", "Why has he lived here?"),
        ("What does an open market mean?", "What is an open market?"),
        ("Who sang here last spring?", "Who sang here in the last spring?"),
        ("Who sang here last spring?", "Who sang here in autumn?"),
        ("What will the jury say?", "What did the judge say?"),
        ("This is a test", "The last one is a test"),
        ("", "What will the jury say?"),
    ],
)
def test_a_tense_that_is_no_matter_is_left_to_the_net(one: str, other: str) -> None:
    assert refusal(one, other) is None


@given(st.text(max_size=QUESTION_CHARS_MAX), st.text(max_size=60))
def test_no_text_makes_it_fail(one: str, other: str) -> None:
    refusal(one, other)
    assert refusal(one, one) is None
