"""How sure the net must be, by what speaks for a pair without it."""

from __future__ import annotations

import pytest

from router_extproc.equivalence import read_question
from router_extproc.models.onnx.enough import (
    ASKED_OTHERWISE_CHANCE_MIN,
    LOOSE,
    REWORDED,
    SAME_WORDS_CHANCE_MIN,
    SUPPORTED_CHANCE_MIN,
    TOLD_APART,
    Bar,
    Pair,
    bar_of,
    enough_for,
)

STORED = "My hip hurts when I climb up a hill after work. Should I see a doctor soon?"
REWORDING = "My hip aches whenever I walk up a slope after work. Is it time to visit a doctor?"
NARROWED = "My hip hurts badly when I climb up a hill after work. Should I see a doctor soon?"
#: One word more, and grammar in another way.
NARROWED_LOOSELY = "My hip hurts badly while I climb up the hill after work. Should I see my doctor soon?"
REPLACED = "My hip hurts when I climb up a hill after work. Should I see a nurse soon?"
TURNED = "My doctor hurts when I climb up a hill after work. Should I see a hip soon?"
SHORT, SHORT_REWORDED = "Why do cats purr so much?", "What makes a kitten purr all day?"


def pair(asked: str, similarity: float, stored: str = STORED) -> Pair:
    return Pair(read_question(stored), read_question(asked), similarity)


def enough(of: Pair, *, otherwise: float = 0.83, objections: int = 0, is_close: bool = False) -> float:
    return enough_for(of, otherwise=otherwise, objections=objections, is_close=is_close)


@pytest.mark.parametrize(
    ("asked", "similarity", "bar"),
    [
        (REWORDING, 0.87, REWORDED),
        (REWORDING, 0.86, None),
        (NARROWED, 0.9, TOLD_APART),
        (NARROWED, 0.89, None),
        (NARROWED_LOOSELY, 0.9, LOOSE),
        (REPLACED, 0.9, TOLD_APART),
        (TURNED, 0.95, None),
    ],
)
def test_what_is_enough_depends_on_what_differs(asked: str, similarity: float, bar: Bar | None) -> None:
    assert bar_of(pair(asked, similarity)) is bar


def test_which_question_was_stored_makes_no_difference() -> None:
    assert bar_of(pair(STORED, 0.9, stored=NARROWED)) is TOLD_APART
    assert bar_of(pair(STORED, 0.9, stored=NARROWED_LOOSELY)) is LOOSE


def test_short_questions_need_all_of_it() -> None:
    assert bar_of(pair(SHORT_REWORDED, 0.95, stored=SHORT)) is None
    assert enough(pair(SHORT_REWORDED, 0.95, stored=SHORT), otherwise=0.8) == 0.8


@pytest.mark.parametrize(
    ("asked", "is_supported", "least"),
    [
        (REWORDING, True, REWORDED.chance_min),
        (REWORDING, False, REWORDED.chance_min),
        (REPLACED, True, SUPPORTED_CHANCE_MIN),
        (REPLACED, False, TOLD_APART.chance_min),
    ],
)
def test_the_lowest_of_what_speaks_for_it_is_enough(asked: str, least: float, *, is_supported: bool) -> None:
    assert enough(pair(asked, 0.95), is_close=is_supported) == least
    assert enough(pair(asked, 0.95), objections=0 if is_supported else 1, is_close=True) == least
    assert enough(pair(asked, 0.95), otherwise=0.1, is_close=is_supported) == 0.1


def test_another_way_of_asking_needs_little_of_the_net_where_the_vectors_are_close() -> None:
    """The only objection is that one asks where and the other one how."""
    asked = pair("How can I find a tailor?", 0.95, stored="Where can I find a tailor?")
    assert enough(asked, objections=1, is_close=True) == ASKED_OTHERWISE_CHANCE_MIN
    assert enough(asked, objections=1) == 0.83
    assert enough(asked, objections=2, is_close=True) == 0.83


def test_an_objection_to_something_else_is_none_to_how_it_is_asked() -> None:
    asked = pair("Where can I find a tailor today?", 0.95, stored="Where can I find a tailor?")
    assert enough(asked, objections=1, is_close=True) == 0.83


def test_the_same_words_need_little_of_the_net() -> None:
    asked = pair("How exactly do I darn a sock?", 0.85, stored="How can one darn socks?")
    assert enough(asked, objections=1) == SAME_WORDS_CHANCE_MIN


@pytest.mark.parametrize(
    "asked",
    [
        STORED.replace("work", "work in children"),
        STORED.replace("work", "work before surgery"),
        STORED.replace("a doctor soon", "a doctor soon while pregnant"),
    ],
)
def test_nothing_speaks_for_a_question_that_alone_says_of_whom_or_when(asked: str) -> None:
    for first, second in ((STORED, asked), (asked, STORED)):
        assert enough(pair(second, 0.97, stored=first), is_close=True) == 0.83


def test_other_words_for_the_same_may_say_whom_too() -> None:
    assert enough(pair(f"{REWORDING} Before noon?", 0.97)) == REWORDED.chance_min
