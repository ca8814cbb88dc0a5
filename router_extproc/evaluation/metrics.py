"""Figures of merit, each with its 95 % confidence interval.

Shapes: `labels` and `scores` are of one length, one element a row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router_extproc.cache.false_hits.interval import interval

#: Two-sided 95 % point of the normal distribution.
Z = 1.959964
#: Bins of the calibration error.
ECE_BINS = 15


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval that holds the true one 19 times in 20."""

    value: float
    low: float
    high: float
    #: Rows it is of.
    rows: int

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}, {self.rows} rows)"


def share(hits: int, rows: int) -> Estimate | None:
    """Share of rows that are hits, with Wilson's interval; None without rows."""
    if not rows:
        return None
    value = hits / rows
    spread = Z * Z / rows
    middle = (value + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(value * (1 - value) / rows + spread / (4 * rows))
    # At 0 and at 1 rounding would put the bound on the wrong side of the value.
    return Estimate(value, max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half)), rows)


def auc(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> Estimate | None:
    """Chance that a true row scores above a false one, ties half; None unless there are both.

    Interval: Hanley and McNeil, 1982.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return None
    ranks = average_ranks(scores)
    value = (ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    error = math.sqrt(max(0.0, auc_variance(value, positives, negatives)))
    return Estimate(value, max(0.0, value - Z * error), min(1.0, value + Z * error), len(labels))


def average_ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1, equal scores sharing the mean of theirs."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[places], np.float64)


def auc_variance(value: float, positives: int, negatives: int) -> float:
    """Variance of an area under the curve."""
    both_true = value / (2 - value) - value**2
    both_false = 2 * value**2 / (1 + value) - value**2
    spread = value * (1 - value) + (positives - 1) * both_true + (negatives - 1) * both_false
    return spread / (positives * negatives)


def calibration_error(hits: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Mean distance between score and share of hits over ECE_BINS equal bins (ECE)."""
    bins = np.minimum((scores * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = [
        abs(hits[bins == index].mean() - scores[bins == index].mean()) * (bins == index).sum()
        for index in np.unique(bins)
    ]
    return float(sum(gaps) / len(hits))


def exact_share(hits: int, rows: int) -> Estimate:
    """Share of rows that are hits, with the exact interval of Clopper and Pearson; rows: at least 1."""
    low, high = interval(hits, rows)
    return Estimate(hits / rows, low, high, rows)
