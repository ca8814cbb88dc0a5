"""The choice among models by expected quality and cost, and its figures on rows with scores.

Shapes: q, s and c are float64[rows, models]: expected quality, true scores (NaN where a row has none) and
relative cost, of the dearest model 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from router_extproc.errors import ConfigError
from router_extproc.evaluation.encode import encode_chunks
from router_extproc.evaluation.metrics import Estimate
from router_extproc.evaluation.picture import new_picture, save_picture
from router_extproc.evaluation.rows import Row, refuse
from router_extproc.evaluation.selection_ranking import PairFigures, judge_each, judge_pair
from router_extproc.models.base import Encoder
from router_extproc.models.onnx.quality import ModelRecord, QualityKernel
from router_extproc.routing.selection.worth import relative_costs
from router_extproc.signals.context_length import BYTES_PER_TOKEN

Matrix = NDArray[np.float64]
#: Of rows drawn again for an interval.
DRAWS: Final = 1_000
SEED: Final = 7
#: Weights of costs that a curve is drawn over.
WEIGHTS: Final = tuple(np.round(np.concatenate((np.arange(0, 0.3, 0.01), np.arange(0.3, 1.55, 0.05))), 2))
_MTOK: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class SelectionPrediction:
    """One row's choice."""

    model: str
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What one weight of costs comes to."""

    cost_weight: float
    quality: float
    #: Mean price of a million tokens, half of them of the prompt.
    price_per_mtok: float


@dataclass(frozen=True, slots=True)
class SelectionFigures:
    """How good the choices were; None: no row has a score of what was chosen."""

    rows: int
    scored: int
    quality: Estimate | None
    #: Mean price of a million tokens of the chosen models, half of them of the prompt.
    price_per_mtok: float | None
    best_single: str | None
    best_single_quality: Estimate | None
    #: Quality above the best single model's, and below that of the best model for each row.
    gain: Estimate | None
    oracle: float | None
    gap_to_oracle: Estimate | None
    #: Share of rows by chosen model.
    shares: Mapping[str, float]
    curve: tuple[CurvePoint, ...] = ()
    #: By model: AUC of its expected quality for its right answers.
    auc: Mapping[str, Estimate] = field(default_factory=dict)
    #: None: there are more than two models, or the dearer one is not better.
    pair: PairFigures | None = None
    #: Models that have scores and that the folder does not know, with their rows.
    unknown: Mapping[str, int] = field(default_factory=dict)


def read_scores(
    path: Path, rows: Sequence[Row], known: Mapping[str, object] | None = None
) -> list[dict[str, float] | None]:
    """The scores of each row; None where it has none. `known`: models that may have some.

    Raises:
        ConfigProblems: what is no score, each with its line number.
    """
    wrong = [(row, problem) for row in rows if (problem := _score_problem(row.fields.get("scores"), known))]
    refuse(path, [ConfigError(f"{path}:{row.line}", problem) for row, problem in wrong])
    return [_as_scores(row.fields.get("scores")) for row in rows]


def _as_scores(scores: Mapping[str, float | None] | None) -> dict[str, float] | None:
    return {model: float(score) for model, score in (scores or {}).items() if score is not None} or None


def _score_problem(scores: Any, known: Mapping[str, object] | None) -> str | None:  # Any: whatever JSON has
    if scores is None:
        return None
    if not isinstance(scores, dict):
        return "scores must be an object: {model: score from 0 to 1}"
    for model, score in scores.items():
        is_number = isinstance(score, int | float) and not isinstance(score, bool)
        if score is not None and not (is_number and 0 <= score <= 1):
            return f"scores.{model} must be a number from 0 to 1"
        if known is not None and model not in known:
            return f"scores.{model}: no price is given for this model"
    return None


def predict_selection(
    texts: Sequence[str], kernel: QualityKernel, encoder: Encoder, *, cost_weight: float
) -> Iterator[SelectionPrediction]:
    """The choice for each text, in order."""
    place = 0
    for encodings in encode_chunks(texts, encoder, tasks=kernel.reads_tasks):
        for text, encoding in zip(texts[place : place + len(encodings)], encodings, strict=True):
            scores = kernel.qualities(text, encoding)
            costs = relative_costs(costs_of(text, kernel.manifest.models))
            chosen = max(scores, key=lambda model: scores[model] - cost_weight * costs[model])
            yield SelectionPrediction(chosen, scores)
        place += len(encodings)


def costs_of(text: str, models: Sequence[ModelRecord]) -> dict[str, float]:
    """What this prompt costs with each model, its answer as long as the table's."""
    tokens = len(text.encode()) / BYTES_PER_TOKEN
    return {
        each.name: (each.input_per_mtok * tokens + each.output_per_mtok * each.answer_tokens) / _MTOK
        for each in models
    }


# ── figures ───────────────────────────────────────────────────────────────────────────────────


def judge_selection(
    made: Sequence[SelectionPrediction],
    truths: Sequence[Mapping[str, float] | None],
    texts: Sequence[str],
    models: Sequence[ModelRecord],
) -> SelectionFigures:
    """The figures of these choices, and the curve over all weights of costs."""
    names = [each.name for each in models]
    chosen = np.array([names.index(each.model) for each in made], np.int64)
    q = np.array([[each.scores[name] for name in names] for each in made], np.float64)
    s = np.array([[(truth or {}).get(name, np.nan) for name in names] for truth in truths], np.float64)
    unknown = Counter(name for truth in truths for name in truth or {} if name not in names)
    figures = judge_choices(chosen, q, s, cost_matrix(texts, models), models)
    return replace(figures, unknown=dict(unknown))


def cost_matrix(texts: Sequence[str], models: Sequence[ModelRecord]) -> Matrix:
    """Relative costs, float64[rows, models]."""
    return np.array([list(relative_costs(costs_of(text, models)).values()) for text in texts], np.float64)


def judge_choices(
    chosen: NDArray[np.int64], q: Matrix, s: Matrix, c: Matrix, models: Sequence[ModelRecord]
) -> SelectionFigures:
    """The figures of choices that were made."""
    got = s[np.arange(len(s)), chosen]
    scored = ~np.isnan(got)
    shares = {each.name: float(np.mean(chosen == place)) for place, each in enumerate(models)}
    if not scored.any():
        return SelectionFigures(len(s), 0, None, None, None, None, None, None, None, shares)
    prices = np.array([(each.input_per_mtok + each.output_per_mtok) / 2 for each in models])
    rated, got = s[scored], got[scored]
    best = int(np.argmax(_means(rated)))
    single, oracle = rated[:, best], np.nanmax(rated, axis=1)
    return SelectionFigures(
        len(s),
        int(scored.sum()),
        bootstrap(got),
        float(prices[chosen[scored]].mean()),
        models[best].name,
        bootstrap(single[~np.isnan(single)]),
        bootstrap((got - single)[~np.isnan(single)]),
        float(oracle.mean()),
        bootstrap(oracle - got),
        {name: share for name, share in shares.items() if share},
        draw_selection_curve(q, s, c, prices),
        judge_each(q, s, models),
        judge_pair(q, s, models),
    )


def draw_selection_curve(q: Matrix, s: Matrix, c: Matrix, prices: Matrix) -> tuple[CurvePoint, ...]:
    """Quality and price for every weight of costs."""
    points = []
    for weight in WEIGHTS:
        chosen = np.argmax(q - weight * c, axis=1)
        got = s[np.arange(len(s)), chosen]
        known = ~np.isnan(got)
        if known.any():
            points.append(
                CurvePoint(float(weight), float(got[known].mean()), float(prices[chosen[known]].mean()))
            )
    return tuple(points)


def bootstrap(values: Matrix) -> Estimate | None:
    """The mean with its 95 % interval by drawing rows again; None without rows."""
    if not len(values):
        return None
    generator = np.random.default_rng(SEED)
    means = [values[generator.integers(len(values), size=len(values))].mean() for _ in range(DRAWS)]
    low, high = np.quantile(means, (0.025, 0.975))
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def _means(s: Matrix) -> Matrix:
    """The mean of each model's scores; below every score where it has none."""
    known = ~np.isnan(s)
    counts = known.sum(axis=0)
    sums = np.where(known, s, 0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), -1.0)


def plot_selection_curve(
    curve: Sequence[CurvePoint], singles: Mapping[str, tuple[float, float]], target: Path, *, asked_by: str
) -> None:
    """Write quality over price as a picture; `singles`: price and quality of each model by itself.

    Raises:
        ConfigError: matplotlib is not installed, or the file cannot be written.
    """
    figure = new_picture(7, 4.5, asked_by=asked_by)
    axes = figure.add_subplot()
    axes.plot([each.price_per_mtok for each in curve], [each.quality for each in curve], label="selected")
    for name, (price, quality) in singles.items():
        axes.plot(price, quality, "o", color="grey")
        axes.annotate(name, (price, quality), fontsize=7, xytext=(4, 3), textcoords="offset points")
    axes.set_xlabel("mean price of a million tokens")
    axes.set_ylabel("mean score")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    save_picture(figure, target, asked_by=asked_by)
