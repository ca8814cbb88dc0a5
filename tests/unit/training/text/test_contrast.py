"""Hard negatives must ask something else, and look like the question they come from."""

import random

import pytest

from router_extproc.training.text.contrast import (
    CHANGES,
    Change,
    ask_other,
    change_kind,
    change_number,
    change_scope,
    flip_opposite,
    make_contrast,
    negate,
    swap_roles,
)
from router_extproc.training.text.word_sets import KINDS, OPPOSITES

QUESTIONS = (
    "How do I turn on 2 lamps in Paris?",
    "What is the best way to fly from Oslo to Lima?",
    "Why is my cat always hungry?",
    "Is Java faster than Python?",
    "MY DOG ATE 12 GRAPES",
    "",
    "?",
    "¿Dónde está la biblioteca?",
)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("seed", range(20))
def test_a_contrast_is_never_the_question_itself(question: str, seed: int) -> None:
    assert make_contrast(question, random.Random(seed)) != question


@pytest.mark.parametrize("seed", range(30))
def test_a_changed_number_is_another_number_of_digits_only(seed: int) -> None:
    changed = change_number("keep 15 things", random.Random(seed))
    assert changed is not None
    number = changed.removeprefix("keep ").removesuffix(" things")
    assert number.isdigit()
    assert int(number) != 15


@pytest.mark.parametrize("seed", range(30))
def test_a_number_in_words_stays_in_words(seed: int) -> None:
    changed = change_number("keep Three things", random.Random(seed))
    assert changed is not None
    assert changed.split()[1].istitle()
    assert changed.split()[1] != "Three"


@pytest.mark.parametrize("seed", range(30))
def test_a_word_becomes_another_of_its_kind(seed: int) -> None:
    changed = change_kind("the weather in Madrid", random.Random(seed))
    assert changed is not None
    city = changed.split()[-1]
    assert city != "Madrid"
    assert city.lower() in KINDS["cities"]


def test_opposites_are_swapped_with_the_writers_capitals() -> None:
    assert flip_opposite("Is it Safe?", random.Random(1)) in {"Is it Dangerous?", "Is it Unsafe?"}


def test_word_groups_have_opposites() -> None:
    assert flip_opposite("please turn on the lamp", random.Random(1)) == "please turn off the lamp"


def test_roles_change_places() -> None:
    assert swap_roles("fly from Oslo to Lima", random.Random(1)) == "fly from Lima to Oslo"
    assert swap_roles("Is Java faster than Python?", random.Random(1)) == "Is Python faster than Java?"


@pytest.mark.parametrize("seed", range(10))
def test_a_leading_auxiliary_is_not_negated(seed: int) -> None:
    """'Isn't it cold?' asks what 'Is it cold?' asks."""
    assert negate("Is it cold?", random.Random(seed)) is None


def test_a_later_auxiliary_is_negated() -> None:
    assert negate("Why is it cold?", random.Random(1)) == "Why isn't it cold?"


def test_a_scope_goes_before_the_question_mark() -> None:
    changed = change_scope("Can I park here?", random.Random(3))
    assert changed is not None
    assert changed.startswith("Can I park here ")
    assert changed.endswith("?")
    assert "{" not in changed


def test_another_question_keeps_the_subject() -> None:
    changed = ask_other("How do I bake bread?", random.Random(1))
    assert changed is not None
    assert "bake bread" in changed


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_change_that_does_not_fit_gives_nothing(change: Change) -> None:
    assert change("hmm " * 21, random.Random(1)) is None


def test_no_word_is_its_own_opposite_and_no_kind_repeats_a_word() -> None:
    assert all(word not in others for word, others in OPPOSITES.items())
    assert all(len(set(words)) == len(words) for words in KINDS.values())
