"""A swapped word fits its place, and makes another question."""

from __future__ import annotations

import random

import pytest

from router_extproc.training.text.swaps import Swaps

#: Each twice: what stands somewhere once may be there by chance.
KNOWN = [f"how do i {deed} a goat" for deed in ("feed", "milk", "wash", "sell", "sells")] * 2


@pytest.fixture
def swaps() -> Swaps:
    return Swaps(KNOWN)


def test_a_word_is_replaced_by_one_that_stood_between_the_same_neighbours(swaps: Swaps) -> None:
    made = {swaps.change("How do I feed a goat?", random.Random(seed)) for seed in range(30)}
    assert made == {f"How do I {deed} a goat?" for deed in ("milk", "wash", "sell", "sells")}


def test_forms_of_the_same_word_are_no_contrast(swaps: Swaps) -> None:
    made = {swaps.change("how do i sell a goat", random.Random(seed)) for seed in range(30)}
    assert "how do i sells a goat" not in made


def test_nothing_is_made_where_nothing_is_known_to_fit(swaps: Swaps) -> None:
    assert swaps.change("Why is the sky blue?", random.Random(1)) is None
    assert swaps.change("", random.Random(1)) is None


def test_a_word_seen_once_does_not_fit() -> None:
    assert Swaps(dict.fromkeys(KNOWN)).change("how do i feed a goat", random.Random(1)) is None


def test_the_same_seed_makes_the_same_question(swaps: Swaps) -> None:
    one, other = (swaps.change("How do I feed a goat?", random.Random(5)) for _ in range(2))
    assert one == other
