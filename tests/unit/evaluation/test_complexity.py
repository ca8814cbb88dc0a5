"""Complexity is judged where rows say what models did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from router_extproc.errors import ConfigProblems
from router_extproc.evaluation.complexity import (
    ComplexityPrediction,
    Outcome,
    judge_complexity,
    read_outcomes,
)
from router_extproc.evaluation.rows import Row


def outcomes_of(*fields: dict[str, Any]) -> list[Outcome]:
    rows = [Row(line, {"text": "x", **each}) for line, each in enumerate(fields, start=1)]
    return read_outcomes(Path("rows.jsonl"), rows, weak="w", strong="s")


def test_outcomes_are_read_by_field_or_by_model() -> None:
    made = outcomes_of(
        {"weak_correct": True, "strong_correct": 0}, {"correct": {"w": 0, "s": 1, "other": None}}, {}
    )
    assert made == [Outcome(True, False), Outcome(False, True), Outcome(None, None)]


def test_what_is_neither_true_nor_false_is_refused_with_its_line() -> None:
    with pytest.raises(ConfigProblems, match=r"rows\.jsonl:2"):
        outcomes_of({"weak_correct": True}, {"weak_correct": "yes"})


def test_rows_without_outcome_are_not_counted() -> None:
    predictions = [ComplexityPrediction(score) for score in (0.9, 0.1, 0.5)]
    outcomes = [Outcome(False, True), Outcome(True, True), Outcome(None, None)]
    figures = judge_complexity(predictions, outcomes)
    assert (figures.rows, figures.labelled) == (3, 2)
    assert figures.auc is not None
    assert figures.auc.value == 1.0
    assert figures.kept_at_half == 1.0


def test_rows_of_one_model_have_no_curve() -> None:
    figures = judge_complexity([ComplexityPrediction(0.9)], [Outcome(False, None)])
    assert (figures.apgr, figures.kept_at_half) == (None, None)
