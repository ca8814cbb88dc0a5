"""Whence and whither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.equivalence import QUESTION_CHARS_MAX, read_question
from router_extproc.equivalence.directions import same_direction


def refusal(one: str, other: str) -> str | None:
    """Both orders say the same."""
    said = same_direction(read_question(one), read_question(other))
    assert same_direction(read_question(other), read_question(one)) == said
    return said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where does the gas come from?", "Where does the gas go?"),
        ("Where is the smoke coming from?", "Where is the smoke going to?"),
        ("What can I carry into the zoo?", "What can I bring home from a zoo?"),
        ("When does the coach arrive in Bath?", "When does the coach arrive from Bath?"),
        ("When does the coach leave for Bath?", "When does the coach depart from Bath?"),
        ("Is there a card to them?", "Is there a card from them?"),
    ],
)
def test_what_one_leads_to_the_other_comes_from(one: str, other: str) -> None:
    assert refusal(one, other) == "roles"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I ride from Bath to York?", "How do I ride to York from Bath?"),
        ("Where does the gas come from?", "From where does gas come?"),
        ("Where do I go to get seeds?", "Where can I get seeds from?"),
        ("How is tea different to coffee?", "How is tea different from coffee?"),
        ("Who sells it apart from Ikea?", "Who sells it to Ikea?"),
        ("How do I stop him from singing?", "How do I get him to singing?"),
        ("Is there work in Bath?", "Is there work from Bath?"),
        ("", "Where does the gas go?"),
    ],
)
def test_the_same_way_in_other_words_is_left_to_the_net(one: str, other: str) -> None:
    assert refusal(one, other) is None


@given(st.text(max_size=QUESTION_CHARS_MAX), st.text(max_size=60))
def test_no_text_makes_it_fail(one: str, other: str) -> None:
    refusal(one, other)
    assert refusal(one, one) is None
