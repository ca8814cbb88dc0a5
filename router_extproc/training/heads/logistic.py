"""Logistic regression by Newton's method, with a ridge.

Columns are scaled for the fit and the weights are given back for the columns as they came.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Newton's steps; it converges in fewer.
STEPS = 30

Array = NDArray[np.float64]


def fit_logistic(columns: Array, labels: Array, *, ridge: float = 1.0, weight: Array | None = None) -> Array:
    """Weights, the offset last; columns: float64[n, k], labels: 0 or 1 [n], weight: of each row."""
    mean, spread = columns.mean(0), columns.std(0) + 1e-9
    scaled = np.column_stack([(columns - mean) / spread, np.ones(len(columns))])
    rows = np.ones(len(columns)) if weight is None else weight
    penalty = np.diag([ridge] * columns.shape[1] + [0.0])
    found = np.zeros(scaled.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-scaled @ found))
        slope = scaled.T @ (rows * (chance - labels)) + penalty @ found
        curve = (scaled * (rows * chance * (1 - chance))[:, None]).T @ scaled + penalty
        found = found - np.linalg.solve(curve, slope)
    weights = found[:-1] / spread
    return np.append(weights, found[-1] - weights @ mean)


def chances(columns: Array, weights: Array) -> Array:
    """The fitted chance of each row."""
    result: Array = 1 / (1 + np.exp(-(columns @ weights[:-1] + weights[-1])))
    return result
