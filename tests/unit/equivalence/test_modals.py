"""Leave, advice and duty."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.equivalence import QUESTION_CHARS_MAX, read_question
from router_extproc.equivalence.modals import same_modality


def refusal(one: str, other: str) -> str | None:
    """Both orders say the same."""
    said = same_modality(read_question(one), read_question(other))
    assert same_modality(read_question(other), read_question(one)) == said
    return said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What may I carry on board?", "What must I carry on board?"),
        ("Can guests park here?", "Do guests have to park here?"),
        ("Is she allowed to vote?", "Is she required to vote?"),
        ("When should I renew it?", "When must I renew it?"),
        ("What can landlords charge?", "What should landlords charge?"),
    ],
)
def test_what_one_may_do_is_not_what_one_must(one: str, other: str) -> None:
    assert refusal(one, other) == "modal"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Can guests park here?", "May guests park here?"),
        ("Do I have to renew it?", "Must I renew it?"),
        ("Should I renew it?", "Do I need to renew it?"),
        ("What should I wear to a ball?", "What can I wear to a ball?"),
        ("What must I do to become a judge?", "What can I do to become a judge?"),
        ("How can visitors park here?", "How must visitors park here?"),
        ("Which books must one read?", "Which books should one read?"),
        ("What may I carry on board?", "What must I carry in a car?"),
        ("May I, or must I, park here?", "Must I park here?"),
        ("", "Must I park here?"),
    ],
)
def test_what_is_alike_is_left_to_the_net(one: str, other: str) -> None:
    assert refusal(one, other) is None


@given(st.text(max_size=QUESTION_CHARS_MAX), st.text(max_size=60))
def test_no_text_makes_it_fail(one: str, other: str) -> None:
    refusal(one, other)
    assert refusal(one, one) is None
