"""Names are whole words, however many tokens they have."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from router_extproc.models.base import NameSpan
from router_extproc.models.onnx.entities import read_names

KINDS = ("PERSON", "PLACE")
#: Columns: outside, then begins and goes on for each kind.
TAGS = {"O": 0, "B-PERSON": 1, "I-PERSON": 2, "B-PLACE": 3, "I-PLACE": 4}
PIECE = re.compile(r"[^\W\d]{1,4}|\d|[^\w\s]")


def read(text: str, tags: Sequence[str], *, sure: float = 0.9) -> list[tuple[str, str]]:
    """What is found in a text whose tokens (four letters at most) have these tags."""
    return [(text[span.start : span.end], span.kind) for span in spans_of(text, tags, sure=sure)]


def spans_of(text: str, tags: Sequence[str], *, sure: float = 0.9) -> tuple[NameSpan, ...]:
    offsets = [(0, 0), *(match.span() for match in PIECE.finditer(text)), (0, 0)]
    scores = np.full((len(offsets), len(TAGS)), (1 - sure) / (len(TAGS) - 1), np.float32)
    scores[[0, -1], 0] = sure
    for place, tag in enumerate(tags, start=1):
        scores[place, TAGS[tag]] = sure
    return read_names(scores, offsets, text, KINDS)


def test_pieces_of_a_word_are_one_name() -> None:
    assert read("Katharina is here", ["B-PERSON", "I-PERSON", "I-PERSON", "O", "O", "O"]) == [
        ("Katharina", "PERSON")
    ]


def test_words_that_go_on_are_one_name() -> None:
    assert read("by Ana Ruiz", ["O", "B-PERSON", "I-PERSON"]) == [("Ana Ruiz", "PERSON")]


def test_a_name_that_begins_ends_the_one_before() -> None:
    assert read("Ana Ruiz", ["B-PERSON", "B-PERSON"]) == [("Ana", "PERSON"), ("Ruiz", "PERSON")]


def test_another_kind_ends_a_name() -> None:
    assert read("Ana Rome", ["B-PERSON", "I-PLACE"]) == [("Ana", "PERSON"), ("Rome", "PLACE")]


def test_a_word_outside_ends_a_name() -> None:
    assert read("Ana met Ruiz", ["B-PERSON", "O", "I-PERSON"]) == [("Ana", "PERSON"), ("Ruiz", "PERSON")]


def test_a_word_is_what_its_pieces_say_on_the_mean() -> None:
    """One unsure piece must not cut a name in two."""
    assert read("Katharina", ["B-PERSON", "O", "I-PERSON"]) == [("Katharina", "PERSON")]


def test_punctuation_is_a_word_of_its_own() -> None:
    assert read("(Rome)", ["O", "B-PLACE", "O"]) == [("Rome", "PLACE")]


def test_score_is_the_chance_of_any_kind() -> None:
    (span,) = spans_of("Rome", ["B-PLACE"], sure=0.8)
    assert abs(span.score - 0.95) < 1e-6


def test_text_without_names_has_none() -> None:
    assert read("hi all", ["O", "O"]) == []
