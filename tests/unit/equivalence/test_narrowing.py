"""The guard over words that narrow one of two questions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.equivalence import read_question
from router_extproc.equivalence.narrowing import MORE_WORDS_MAX, WORDS_MAX, same_breadth

QUESTIONS = Path(__file__).parents[2] / "samples" / "questions"
STRESSED = [json.loads(line) for line in (QUESTIONS / "stressed.jsonl").read_text().splitlines()]

#: One question, and what narrows it; one row for each kind and each place that counts.
NARROWED = [
    ("How do I sharpen a chisel{}?", " quickly"),
    ("How do I sharpen a chisel{}?", " fast"),
    ("How do I sharpen a chisel{}?", " as soon as possible"),
    ("How do I learn to weave{}?", " on my own"),
    ("How do I learn to weave{}?", " by myself"),
    ("How do I learn to weave{}?", " alone"),
    ("Where can I read the paper{}?", " online"),
    ("Where can I read the paper{}?", " for free"),
    ("Where can I read the paper{}?", " free of charge"),
    ("Which are good{} drum lessons?", " free"),
    ("How can I cut down a tree{}?", " legally"),
    ("How do I{} change a fuse?", " safely"),
    ("What helps against{} migraine?", " severe"),
    ("What helps against{} depression?", " major"),
    ("Which doors{} open outwards?", " only"),
    ("Which rackets are good{}?", " for beginners"),
    ("Which rackets are good{}?", " for an absolute beginner"),
    ("How do I row{}?", " as a novice"),
    ("What causes a rash{}?", " in babies"),
    ("Can I walk there{}?", " at night"),
    ("How do I reach the fort{}?", " by bus"),
    ("How do I shuffle a table{}?", " in Python"),
    ("How do I shuffle a table{}?", " using Excel"),
    ("When is the pool open{}?", " on Sunday"),
]
#: Words that only one question has, and that do not narrow it.
AS_WIDE = [
    ("Why do geese fly south?", "Why do geese actually fly south, in general?"),
    ("How do I end my contract?", "How do I end my contract for good?"),
    ("How fast do geese fly?", "At what speed do geese fly?"),
    ("How do they cook so fast?", "How do they cook?"),
    ("Is there healthy fast food?", "Is there healthy junk food?"),
    ("What do weavers do?", "What do weavers do in their free time?"),
    ("Which bread is good?", "Which gluten free bread is good?"),
    ("What is it like to feel alone?", "What is it like to feel lonely?"),
    ("What are the differences?", "What are the major differences?"),
    ("Can it be taken?", "Can it be taken safely?"),
    ("Which shops sell a mobile home?", "Which shops sell a caravan?"),
    ("How is the python fed?", "How is the snake fed?"),
    ("How do I wash my own car?", "How do I wash a car?"),
    ("What depends on who own shops?", "What depends on who has shops?"),
    ("Fast or slow?", "Slow or not?"),
]
#: Something else stands for it.
STOOD_FOR = [
    ("How do I learn to weave by myself?", "How can I teach myself to weave?"),
    ("How do I sharpen a chisel fast?", "What is the quickest way to sharpen a chisel?"),
    ("Which books on rowing are good for beginners?", "Which beginner books on rowing are good?"),
    ("How do I reach the fort by bus?", "Which buses go to the fort?"),
    ("How do I turn a table in Python?", "What is the Python function that turns a table?"),
    ("Where can I read the paper online?", "Which website has the paper?"),
    ("How do I treat a cold naturally?", "How do I treat a cold without medicine?"),
    ("How do I use it on macOS?", "How do I use it on a Mac?"),
]


@pytest.mark.parametrize(("question", "narrowing"), NARROWED)
def test_a_question_that_a_word_narrows_is_another_one(question: str, narrowing: str) -> None:
    wide, narrow = read_question(question.format("")), read_question(question.format(narrowing))
    assert same_breadth(wide, narrow) == same_breadth(narrow, wide) == "narrower"


@pytest.mark.parametrize(("one", "other"), AS_WIDE)
def test_stress_and_words_with_another_meaning_do_not_narrow(one: str, other: str) -> None:
    assert same_breadth(read_question(one), read_question(other)) is None
    assert same_breadth(read_question(other), read_question(one)) is None


@pytest.mark.parametrize(("one", "other"), STOOD_FOR)
def test_the_same_narrowing_in_other_words_is_none(one: str, other: str) -> None:
    assert same_breadth(read_question(one), read_question(other)) is None
    assert same_breadth(read_question(other), read_question(one)) is None


def test_another_system_or_day_is_another_question() -> None:
    """Neither stands for the other."""
    python, java = read_question("How do I loop in Python?"), read_question("How do I loop in Java?")
    assert same_breadth(python, java) == "narrower"


@pytest.mark.parametrize("row", STRESSED, ids=lambda row: row["text_b"])
def test_no_rewording_is_refused(row: dict[str, str]) -> None:
    assert same_breadth(read_question(row["text_a"]), read_question(row["text_b"])) is None


def test_questions_that_differ_in_much_are_left_to_the_net() -> None:
    """A long one tells of much that another one for the same leaves out."""
    short = "How do I weave"
    narrow = f"{short} {'a' + ' soft' * MORE_WORDS_MAX} rug quickly"
    assert same_breadth(read_question(short), read_question(narrow)) is None
    long = f"{short} {'soft ' * WORDS_MAX} rugs"
    assert same_breadth(read_question(long), read_question(f"{long} quickly")) is None


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_compared_either_way_alike(one: str, other: str) -> None:
    first, second = read_question(one), read_question(other)
    assert same_breadth(first, second) == same_breadth(second, first)
    assert same_breadth(first, first) is None
