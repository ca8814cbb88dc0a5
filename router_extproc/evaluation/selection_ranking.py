"""Whether expected qualities rank prompts rightly: for each model, and between a weak and a strong one.

Shapes: q and s are float64[rows, models]: expected quality, and true scores (NaN where a row has none).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.curve import Curve, draw_curve
from router_extproc.evaluation.metrics import Estimate, auc
from router_extproc.models.onnx.quality import ModelRecord

Matrix = NDArray[np.float64]
#: A score from which an answer counts as right.
RIGHT_MIN: Final = 0.5
#: Of rows drawn again for an interval.
DRAWS: Final = 500
SEED: Final = 7


@dataclass(frozen=True, slots=True)
class PairFigures:
    """What routing between two models recovers and keeps, over all shares of calls (RouteLLM's figures)."""

    weak: str
    strong: str
    #: Rows with a score of both.
    rows: int
    #: Mean share of the gap between both models that is recovered; by chance 0.5.
    apgr: Estimate
    #: Quality when half of the calls go to the strong model, as a share of its own.
    kept_at_half: Estimate


def judge_each(q: Matrix, s: Matrix, models: Sequence[ModelRecord]) -> dict[str, Estimate]:
    """AUC of the expected quality for right answers against wrong ones, by model.

    A model that is always right here, or never, has none.
    """
    known = ~np.isnan(s)
    found = {
        each.name: auc(s[known[:, place], place] >= RIGHT_MIN, q[known[:, place], place])
        for place, each in enumerate(models)
    }
    return {name: estimate for name, estimate in found.items() if estimate is not None}


def judge_pair(q: Matrix, s: Matrix, models: Sequence[ModelRecord]) -> PairFigures | None:
    """The figures of a table of two models; None: there are more, or the dearer one is not better here."""
    if len(models) != len(("weak", "strong")):
        return None
    weak, strong = sorted(range(len(models)), key=lambda place: _rank(models[place]))
    known = ~np.isnan(s).any(axis=1)
    gain, low, high = (q[:, strong] - q[:, weak])[known], s[known, weak], s[known, strong]
    if low.sum() >= high.sum():
        return None
    whole = draw_curve(gain, low, high)
    drawn = _draw_again(gain, low, high)
    return PairFigures(
        models[weak].name,
        models[strong].name,
        int(known.sum()),
        _estimate(whole.apgr(), [each.apgr() for each in drawn], len(gain)),
        _estimate(whole.kept_at_half(), [each.kept_at_half() for each in drawn], len(gain)),
    )


def _rank(model: ModelRecord) -> tuple[float, float]:
    """By price; of equal ones the better is the stronger."""
    return (model.input_per_mtok + model.output_per_mtok, model.mean)


def _draw_again(gain: Matrix, low: Matrix, high: Matrix) -> list[Curve]:
    """The curves of rows that were drawn again."""
    generator = np.random.default_rng(SEED)
    drawn = (generator.integers(len(gain), size=len(gain)) for _ in range(DRAWS))
    return [draw_curve(gain[rows], low[rows], high[rows]) for rows in drawn]


def _estimate(value: float | None, drawn: Sequence[float | None], rows: int) -> Estimate:
    """The value with its 95 % interval; draws without a gap between both models say nothing."""
    known = [each for each in drawn if each is not None]
    low, high = np.quantile(known, (0.025, 0.975)) if known else (0.0, 1.0)
    return Estimate(float(value or 0.0), float(low), float(high), rows)
