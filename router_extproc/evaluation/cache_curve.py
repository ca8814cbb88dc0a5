"""Precision over the cache's hit ratio, for every threshold of the verifier's score at once.

P-CHR AUC is the area under precision over hit ratio (CHR): the mean precision when any share of the lookups
may be answered. PR-AUC is the area under precision over recall. CRR, the calibration retention rate, is the
first divided by the second: how much of a good order is left once one threshold decides about all lookups.

Source: Baral and others, "Closing the Calibration Gap in Semantic Caching", 2026 (arXiv:2606.19719).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.picture import new_picture, save_picture

Scores = NDArray[np.float64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CacheCurve:
    """One point for each threshold, the highest first; all arrays are float64[points] in [0, 1]."""

    #: Share of all pairs that are hits.
    hit_ratio: Scores
    #: Share of the hits that are right.
    precision: Scores
    #: Share of the pairs with the same answer that are hits.
    recall: Scores

    def p_chr_auc(self) -> float:
        """Area under precision over hit ratio."""
        return _area(self.hit_ratio, self.precision)

    def pr_auc(self) -> float:
        """Area under precision over recall."""
        return _area(self.recall, self.precision)

    def crr(self) -> float:
        """How much of PR-AUC is left in P-CHR AUC."""
        return self.p_chr_auc() / self.pr_auc()

    def p_chr_auc_max(self) -> float:
        """What an order without a mistake would reach: beyond the right pairs every hit is wrong."""
        right = float(self.precision[-1])
        return right * (1.0 - math.log(right))


def draw_cache_curve(scores: Scores, labels: Truths) -> CacheCurve | None:
    """The curve of scores over labels, one element a pair; None where no pair has the same answer.

    Pairs of one score become hits together.
    """
    right_pairs = int(labels.sum())
    if not right_pairs:
        return None
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    hits = ends + 1.0
    right = np.cumsum(labels[order])[ends]
    return CacheCurve(hits / len(scores), right / hits, right / right_pairs)


def _area(places: Scores, precision: Scores) -> float:
    # Below the first threshold's share nothing is known but what that threshold gives.
    return float(np.trapezoid(np.append(precision[0], precision), np.append(0.0, places)))


def plot_cache_curve(curve: CacheCurve, target: Path) -> None:
    """Write precision over hit ratio as a picture.

    Raises:
        ConfigError: matplotlib is not installed, or the file cannot be written.
    """
    figure = new_picture(7, 4.5, asked_by="--curve")
    axes = figure.add_subplot()
    label = f"P-CHR AUC {curve.p_chr_auc():.3f}, at most {curve.p_chr_auc_max():.3f}"
    axes.plot(curve.hit_ratio, curve.precision, label=label)
    axes.axhline(curve.precision[-1], linestyle="--", color="grey", label="at random")
    axes.set_xlabel("share of lookups that are hits")
    axes.set_ylabel("share of hits that are right")
    axes.set_ylim(0, 1)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    save_picture(figure, target, asked_by="--curve")
