"""Figures of merit, each with its 95 % confidence interval.

It is not a report. Shapes: `labels` and `scores` are of one length, one element a row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Two-sided 95 % point of the normal distribution.
Z = 1.959964
#: What an exact interval leaves out at each end.
_ONE_SIDED = 0.025
#: A summand of a tail that is a smaller share than this changes nothing; halvings to full precision.
_NOTHING, _HALVINGS = 1e-17, 60
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
    """Share of rows that are hits, with the exact interval of Clopper and Pearson (1934).

    rows: at least 1.
    """
    low = 0.0 if hits == 0 else _bisect(lambda chance: binomial_tail(hits, rows, chance) - _ONE_SIDED)
    high = 1.0
    if hits < rows:
        high = _bisect(lambda chance: binomial_tail(hits + 1, rows, chance) - (1 - _ONE_SIDED))
    return Estimate(hits / rows, low, high, rows)


def binomial_tail(least: int, rows: int, chance: float) -> float:
    """Chance of `least` hits or more among rows, each of which is one with this chance in (0, 1)."""
    if least > rows * chance:
        return _sum_binomial(range(least, rows + 1), rows, chance)
    return 1.0 - _sum_binomial(range(least - 1, -1, -1), rows, chance)


def _sum_binomial(counts: range, rows: int, chance: float) -> float:
    """Sum of the chances of these counts, which lead away from the likeliest one."""
    total = 0.0
    for count in counts:
        ways = math.lgamma(rows + 1) - math.lgamma(count + 1) - math.lgamma(rows - count + 1)
        part = math.exp(ways + count * math.log(chance) + (rows - count) * math.log1p(-chance))
        total += part
        if part < _NOTHING * total:
            break
    return total


def _bisect(rising: Callable[[float], float]) -> float:
    """Where a function that rises over (0, 1) crosses zero."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2
