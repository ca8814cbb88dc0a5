"""Questions that grammar words alone tell apart, and rephrasings in other ones, on the real verifier."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from router_extproc.evaluation.pairs import predict_pairs
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.verifier import OnnxVerifier
from router_extproc.models.onnx.verifier_open import open_verifier

ROWS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "samples" / "questions" / "grammar.jsonl")
    .read_text()
    .splitlines()
]
KINDS = sorted({row["kind"] for row in ROWS})
#: Stand before a question; what is asked is then the smaller part of the text.
BACKGROUNDS = (
    "I work as a guide on a small island in the north, where a ferry and a narrow railway bring visitors.",
    "My uncle owns a small bakery in the old town. He opens at six and delivers bread to two hospitals.",
    "Our club plays football in the third division, and the stadium needs a new roof.",
)


@cache
def verifier() -> OnnxVerifier:
    return open_verifier()


def hits(encoder: OnnxEncoder, rows: list[dict[str, Any]], background: str = "") -> list[tuple[str, str]]:
    """Of both orders of each pair those that are hits."""
    pairs = [
        (background + row[first], background + row[second])
        for row in rows
        for first, second in (("text_a", "text_b"), ("text_b", "text_a"))
    ]
    predictions = predict_pairs(pairs, verifier(), encoder)
    return [pair for pair, prediction in zip(pairs, predictions, strict=True) if prediction.hit]


def rows_of(kind: str, label: int) -> list[dict[str, Any]]:
    return [row for row in ROWS if (row["kind"], row["label"]) == (kind, label)]


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_enough_pairs(kind: str) -> None:
    counted = Counter(row["label"] for row in ROWS if row["kind"] == kind)
    assert min(counted[0], counted[1]) >= 10


@pytest.mark.parametrize("kind", KINDS)
def test_no_question_is_answered_that_grammar_words_tell_apart(encoder: OnnxEncoder, kind: str) -> None:
    assert hits(encoder, rows_of(kind, 0)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_other_grammar_words_for_the_same_are_hits(encoder: OnnxEncoder, kind: str) -> None:
    """Else a verifier that refuses every other grammar word would pass."""
    rows = rows_of(kind, 1)
    assert len(hits(encoder, rows)) == 2 * len(rows)


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_no_background_hides_what_grammar_words_tell_apart(encoder: OnnxEncoder, background: str) -> None:
    rows = [row for row in ROWS if not row["label"]]
    assert hits(encoder, rows, f"{background} ") == []
