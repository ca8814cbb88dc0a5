"""Who acts and who is acted upon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.equivalence import QUESTION_CHARS_MAX, read_question
from router_extproc.equivalence.agents import same_agent


def refusal(one: str, other: str) -> str | None:
    """Both orders say the same."""
    said = same_agent(read_question(one), read_question(other))
    assert same_agent(read_question(other), read_question(one)) == said
    return said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who did she sing to?", "Who sang to her?"),
        ("Who has he thanked?", "Who has thanked him?"),
        ("What do foxes hunt?", "What hunts foxes?"),
        ("Which town did the flood reach?", "Which town reached the flood?"),
        ("Who should the club elect?", "Who should elect the club?"),
        ("What is chasing the cat?", "What is the cat chasing?"),
        ("Tell me who taught her", "Tell me who she taught"),
    ],
)
def test_who_acts_is_not_for_whom_it_is_done(one: str, other: str) -> None:
    assert refusal(one, other) == "roles"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Why does she envy him?", "Why does he envy her?"),
        ("Can my aunt evict me?", "Can I evict my aunt?"),
        ("Did you see him there?", "Did he see you there?"),
        ("Is he older than her?", "Is she older than him?"),
        ("Does Ada like Tim?", "Does Tim like Ada?"),
    ],
)
def test_two_change_sides(one: str, other: str) -> None:
    assert refusal(one, other) == "roles"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who was praised by her?", "Who praised her?"),
        ("By whom was he followed?", "Whom did he follow?"),
        ("Who was Troy attacked by?", "Who did Troy attack?"),
        ("How is bread affected by heat?", "How does bread affect heat?"),
    ],
)
def test_what_is_done_by_somebody_is_not_what_he_suffers(one: str, other: str) -> None:
    assert refusal(one, other) == "roles"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # turned twice
        ("Who was praised by her?", "Whom did she praise?"),
        ("By whom was he followed?", "Who followed him?"),
        ("How is bread affected by heat?", "How does heat affect bread?"),
        # the same order
        ("Who did invent the radio?", "Who invented the radio?"),
        ("Which foods do foxes eat?", "What food does a fox eat?"),
        # no verb comes first
        ("Which is the best school for nursing?", "Which school is best for nursing?"),
        ("Which language should I learn first?", "What should be the first language I learn?"),
        # both do it, or either order says it
        ("Who did she marry?", "Who married her?"),
        ("What does a stamp cost?", "What costs a stamp?"),
        # "by" tells how, or when
        ("What was sent by mail?", "What sent mail?"),
        ("Which laws were passed by 1990?", "Which laws passed 1990?"),
        ("How are cakes improved by baking?", "How do cakes improve baking?"),
        # other persons, other words, persons that come twice, a clause that changed its place
        ("Who did she sing to?", "Who sang to him?"),
        ("Who did she sing to?", "Who sang for her mother?"),
        ("Should I call him or should he call me?", "Should he call me or should I call him?"),
        ("If he leaves, should I call?", "Should I call if he leaves?"),
        ("What is one thing nobody knows about you?", "What is one thing about you nobody knows?"),
        ("", "Who did she sing to?"),
    ],
)
def test_the_same_in_other_forms_is_left_to_the_net(one: str, other: str) -> None:
    assert refusal(one, other) is None


@given(st.text(max_size=QUESTION_CHARS_MAX), st.text(max_size=60))
def test_no_text_makes_it_fail(one: str, other: str) -> None:
    refusal(one, other)
    assert refusal(one, one) is None


@given(
    st.permutations(["who", "did", "she", "see", "her", "by", "whom", "was", "he", "seen", "do"]),
    st.integers(0, 11),
)
def test_no_order_of_such_words_makes_it_fail(words: list[str], cut: int) -> None:
    refusal(" ".join(words), " ".join(words[cut:] + words[:cut]))
