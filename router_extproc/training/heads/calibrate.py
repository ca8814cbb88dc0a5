"""Finds the temperature at which a net's scores are chances.

The temperature changes no ranking of labels. It is fitted on rows that were not trained on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from router_extproc.training.heads.net import Matrix, softmax

TEMPERATURE_MIN = 0.1
TEMPERATURE_MAX = 10.0
#: Temperatures that are tried, evenly spaced on a logarithmic scale: steps of 2 %.
STEPS = 233
#: No chance is below it, so that one wrong row cannot be infinitely wrong.
CHANCE_MIN = 1e-9


def find_temperature(logits: Matrix, targets: NDArray[np.int64]) -> float:
    """The temperature of the lowest mean surprise; logits: float32[n, labels], targets: int64[n]."""
    tried = np.geomspace(TEMPERATURE_MIN, TEMPERATURE_MAX, STEPS)
    return float(min(tried, key=lambda each: surprise(logits / np.float32(each), targets)))


def surprise(logits: Matrix, targets: NDArray[np.int64]) -> float:
    """Mean negative logarithm of the chance given to what was true."""
    chances = softmax(logits)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chances, CHANCE_MIN)).mean())
