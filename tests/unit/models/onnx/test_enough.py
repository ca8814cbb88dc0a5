"""How sure the net must be, by what speaks for a pair without it."""

from __future__ import annotations

import pytest

from router_extproc.equivalence import read_question
from router_extproc.models.onnx.enough import (
    LOOSE,
    REWORDED,
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
    assert enough_for(pair(SHORT_REWORDED, 0.95, stored=SHORT), otherwise=0.8, is_supported=False) == 0.8


@pytest.mark.parametrize(
    ("asked", "is_supported", "enough"),
    [
        (REWORDING, True, REWORDED.chance_min),
        (REWORDING, False, REWORDED.chance_min),
        (REPLACED, True, SUPPORTED_CHANCE_MIN),
        (REPLACED, False, TOLD_APART.chance_min),
    ],
)
def test_the_lowest_of_what_speaks_for_it_is_enough(asked: str, enough: float, *, is_supported: bool) -> None:
    assert enough_for(pair(asked, 0.95), otherwise=0.83, is_supported=is_supported) == enough
    assert enough_for(pair(asked, 0.95), otherwise=0.1, is_supported=is_supported) == 0.1


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
        assert enough_for(pair(second, 0.97, stored=first), otherwise=0.83, is_supported=True) == 0.83


def test_other_words_for_the_same_may_say_whom_too() -> None:
    assert (
        enough_for(pair(f"{REWORDING} Before noon?", 0.97), otherwise=0.83, is_supported=False)
        == REWORDED.chance_min
    )
