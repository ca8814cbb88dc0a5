"""What routing by a score costs and keeps, for every threshold at once.

Shapes: one element a row in every array; a higher score asks for the strong model.

Source: Ong and others, "RouteLLM", 2024 (performance gap recovered, and its average, APGR).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.picture import new_picture, save_picture

Scores = NDArray[np.float64]
#: Right or wrong, or marks from 0 to 1.
Truths = NDArray[np.bool_] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """Quality for every share of calls that the strong model gets, by rising share."""

    #: float64[rows + 1], from 0 to 1.
    strong_share: Scores
    #: float64[rows + 1]: share of right answers, or the mean mark.
    accuracy: Scores
    #: The score from which a prompt goes to the strong model, float64[rows + 1]; infinite at first.
    threshold: Scores

    def apgr(self) -> float | None:
        """Mean share of the gap between both models that is recovered; None where there is no gap."""
        gap = self.accuracy[-1] - self.accuracy[0]
        return float(np.mean((self.accuracy - self.accuracy[0]) / gap)) if gap else None

    def kept_at_half(self) -> float | None:
        """The accuracy when half the calls go to the strong model, as a share of its own."""
        strong = self.accuracy[-1]
        return float(self.accuracy[len(self.accuracy) // 2] / strong) if strong else None


def draw_curve(scores: Scores, weak: Truths, strong: Truths) -> Curve:
    """The curve of scores over what each model got right, or its marks; equal scores in their order."""
    order = np.argsort(-scores, kind="stable")
    by_strong = np.concatenate([[0], np.cumsum(strong[order])])
    by_weak = weak.sum() - np.concatenate([[0], np.cumsum(weak[order])])
    rows = len(scores)
    return Curve(
        strong_share=np.arange(rows + 1) / rows,
        accuracy=(by_strong + by_weak) / rows,
        threshold=np.concatenate([[np.inf], scores[order]]),
    )


def plot_curve(curve: Curve, target: Path) -> None:
    """Write the curve as a picture.

    Raises:
        ConfigError: matplotlib is not installed, or the file cannot be written.
    """
    figure = new_picture(7, 4.5, asked_by="--curve")
    axes = figure.add_subplot()
    axes.plot(curve.strong_share, curve.accuracy, label="by the score")
    ends = [curve.accuracy[0], curve.accuracy[-1]]
    axes.plot([0, 1], ends, "--", color="grey", label="at random")
    axes.set_xlabel("share of calls that the strong model gets")
    axes.set_ylabel("share of right answers")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    save_picture(figure, target, asked_by="--curve")
