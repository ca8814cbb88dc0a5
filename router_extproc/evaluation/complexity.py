"""Evaluates complexity: whether the score tells the prompts that a weak model fails on.

A row that does not say what the weak model did is predicted and never counted; what routing keeps is told
only where rows say what the strong one did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from router_extproc.errors import ConfigError
from router_extproc.evaluation.curve import Curve, draw_curve
from router_extproc.evaluation.encode import encode_chunks
from router_extproc.evaluation.metrics import Estimate, auc
from router_extproc.evaluation.rows import Row, refuse
from router_extproc.models.base import Classifier, Encoder
from router_extproc.signals.complexity import chance_of_failure

#: Fields that say whether the weak and the strong model were right.
WEAK, STRONG = "weak_correct", "strong_correct"
#: A field with the results of many models, by name.
MANY = "correct"


@dataclass(frozen=True, slots=True)
class ComplexityPrediction:
    """What is said of one text."""

    #: Chance that a weak model fails, in [0, 1].
    score: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What models did with one prompt; None: not known."""

    weak: bool | None
    strong: bool | None


@dataclass(frozen=True, slots=True)
class ComplexityFigures:
    """How good the scores are; rows without an outcome count nowhere but in `rows`."""

    rows: int
    labelled: int
    #: Of failures of the weak model against its successes.
    auc: Estimate | None
    #: Over the rows that know both models; None: none does.
    apgr: float | None
    kept_at_half: float | None


def predict_complexity(
    texts: Sequence[str], classifier: Classifier, encoder: Encoder
) -> Iterator[ComplexityPrediction]:
    """One prediction for each text, in order."""
    for encodings in encode_chunks(texts, encoder, tasks=classifier.reads_tasks):
        for encoding in encodings:
            scores = classifier.scores(encoding) if encoding.is_readable else {}
            yield ComplexityPrediction(chance_of_failure(scores))


def read_outcomes(path: Path, rows: Sequence[Row], *, weak: str, strong: str) -> list[Outcome]:
    """What each row says of both models; `weak` and `strong` name them in the field `correct`.

    Raises:
        ConfigProblems: outcomes that are none, each with its line number.
    """
    problem = f"{WEAK}, {STRONG} and what {MANY} has must be true, false, 1 or 0"
    refuse(path, [ConfigError(f"{path}:{row.line}", problem) for row in rows if is_wrong(row)])
    return [Outcome(read_outcome(row, WEAK, weak), read_outcome(row, STRONG, strong)) for row in rows]


def is_wrong(row: Row) -> bool:
    """True when an outcome is neither true nor false."""
    many = row.fields.get(MANY) or {}
    if not isinstance(many, dict):
        return True
    values = (row.fields.get(WEAK), row.fields.get(STRONG), *many.values())
    return any(value is not None and value not in (0, 1) for value in values)


def read_outcome(row: Row, field: str, model: str) -> bool | None:
    """What one model did with the row."""
    value = row.fields.get(field)
    if value is None:
        value = (row.fields.get(MANY) or {}).get(model)
    return None if value is None else bool(value)


def judge_complexity(
    predictions: Sequence[ComplexityPrediction], outcomes: Sequence[Outcome]
) -> ComplexityFigures:
    """The figures of predictions and of what models did."""
    scores = np.array([prediction.score for prediction in predictions], np.float64)
    known = np.array([outcome.weak is not None for outcome in outcomes])
    failed = np.array([not outcome.weak for outcome in outcomes])
    curve = curve_of(predictions, outcomes)
    return ComplexityFigures(
        rows=len(predictions),
        labelled=int(known.sum()),
        auc=auc(failed[known], scores[known]),
        apgr=curve.apgr() if curve else None,
        kept_at_half=curve.kept_at_half() if curve else None,
    )


def curve_of(predictions: Sequence[ComplexityPrediction], outcomes: Sequence[Outcome]) -> Curve | None:
    """The curve over the rows that know both models; None: none does."""
    both = [
        (prediction.score, outcome.weak, outcome.strong)
        for prediction, outcome in zip(predictions, outcomes, strict=True)
        if outcome.weak is not None and outcome.strong is not None
    ]
    if not both:
        return None
    scores, weak, strong = zip(*both, strict=True)
    return draw_curve(np.array(scores, np.float64), np.array(weak, np.bool_), np.array(strong, np.bool_))
