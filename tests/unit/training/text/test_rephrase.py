"""Hard positives must ask the same."""

import random
import re

import pytest

from router_extproc.training.text.rephrase import (
    make_rephrasing,
    misspell,
    move_place,
    reword_frame,
    spell_number,
    swap_equals,
)


@pytest.mark.parametrize("seed", range(40))
def test_a_rephrasing_keeps_the_numbers(seed: int) -> None:
    said = make_rephrasing("How do I split 1,500 dollars into 3 parts?", random.Random(seed))
    assert said is None or numbers_in(said) == {1500, 3}


def numbers_in(text: str) -> set[int]:
    words = text.lower().replace(",", "").replace("three", "3")
    return {int(number) for number in re.findall(r"\d+", words)}


@pytest.mark.parametrize("seed", range(40))
def test_a_rephrasing_keeps_the_subject(seed: int) -> None:
    said = make_rephrasing("How do I bake rye bread?", random.Random(seed))
    assert said is None or re.search("rye bread", said, re.IGNORECASE)


def test_the_frame_changes_and_the_matter_stays() -> None:
    said = reword_frame("How can I bake bread?", random.Random(2))
    assert said is not None
    assert "bake bread" in said


def test_questions_without_a_known_frame_are_left_alone() -> None:
    assert reword_frame("Which bread is best?", random.Random(2)) is None


def test_small_numbers_are_spelled_both_ways() -> None:
    rng = random.Random(1)
    assert spell_number("keep 3 things", rng) == "keep three things"
    assert spell_number("keep three things", rng) == "keep 3 things"
    assert spell_number("pay 1,500 now", rng) == "pay 1500 now"
    assert spell_number("keep things", rng) is None


def test_the_place_moves_to_the_front() -> None:
    assert move_place("Where can I eat well in Rome?", random.Random(1)) == "In Rome, where can I eat well?"


def test_things_compared_change_places() -> None:
    said = swap_equals("What is the difference between tea and coffee?", random.Random(1))
    assert said == "What is the difference between coffee and tea?"


def test_short_words_are_not_misspelled() -> None:
    assert misspell("a cat sat", random.Random(1)) is None
