"""What two questions ask beside a background that both have."""

from __future__ import annotations

import pytest

from router_extproc.equivalence import read_question
from router_extproc.equivalence.background import ASKING_MAX, Apart, asked_apart

SHOP = "I run a small bakery with six employees in a town by the sea."


def apart(cached: str, asked: str) -> Apart | None:
    return asked_apart(read_question(cached), read_question(asked))


def test_what_is_asked_stands_apart_from_what_both_tell() -> None:
    assert apart(f"{SHOP} Where does bread sell best?", f"{SHOP} How can I sell more bread?") == Apart(
        "Where does bread sell best?", "How can I sell more bread?"
    )


@pytest.mark.parametrize("mark", [". ", ":\n", "\n", "; "])
def test_a_background_ends_as_sentences_and_lines_do(mark: str) -> None:
    told = "The river flows north through two valleys to the sea" + mark
    assert apart(f"{told}Where does it begin?", f"{told}Where does it end?") == Apart(
        "Where does it begin?", "Where does it end?"
    )


def test_it_may_stand_behind_the_question_and_in_other_letters() -> None:
    assert apart(f"Who buys cake? {SHOP}", f"Who buys bread? {SHOP.upper()}") == Apart(
        "Who buys cake?", "Who buys bread?"
    )


def test_the_last_sentence_asks_where_no_question_does() -> None:
    assert apart(f"{SHOP} List the costs.", f"{SHOP} List the risks.") == Apart(
        "List the costs.", "List the risks."
    )


@pytest.mark.parametrize(
    ("cached", "asked"),
    [
        ("Where does bread sell best?", "Where does bread sell well?"),  # no background
        ("I bake. Where does bread sell best?", "I bake. Where does cake sell best?"),  # hardly one
        (f"{SHOP} It is new. Who buys cake?", f"{SHOP} It is old. Who buys cake?"),  # asks the same
        (f"{SHOP} Who buys cake? And who bread?", f"{SHOP} Who buys cake?"),  # is answered, and more
        (f"{SHOP} Who buys cake?", f"{SHOP} Who buys cake? It is urgent."),
        ("", f"{SHOP} Who buys cake?"),
    ],
)
def test_without_a_background_or_a_new_question_nothing_stands_apart(cached: str, asked: str) -> None:
    assert apart(cached, asked) is None


def test_a_question_that_is_new_stands_apart_from_nothing() -> None:
    assert apart(f"{SHOP} Who buys cake?", f"{SHOP} Who buys cake? And who bread?") == Apart(
        "", "And who bread?"
    )


def test_of_a_very_long_question_nobody_knows_what_it_asks() -> None:
    told = "because " * ASKING_MAX
    assert apart(f"{told} why?", f"{told} how?") == Apart("", "")
