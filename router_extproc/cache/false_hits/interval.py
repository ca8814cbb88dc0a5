"""Exact confidence intervals of a rate, from a sample of yes and no.

Clopper and Pearson's, which holds its confidence for every number of trials. Source: Clopper and Pearson,
Biometrika 26 (1934); the incomplete beta function by its continued fraction, evaluated by the method of
Lentz (Applied Optics 15, 1976).
"""

from __future__ import annotations

import math
from typing import Final

_STEPS_MAX: Final = 400
_TINY: Final = 1e-300
_EPSILON: Final = 1e-14
_HALVINGS: Final = 60


def at_most(wrong: int, trials: int, rate: float) -> float:
    """The chance of at most `wrong` among `trials` when each is wrong with the chance `rate`."""
    if wrong >= trials or rate <= 0.0:
        return 1.0
    if rate >= 1.0:
        return 0.0
    return _incomplete_beta(trials - wrong, wrong + 1, 1.0 - rate)


def interval(wrong: int, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided Clopper-Pearson interval of the rate; (0, 1) before the first trial."""
    tail = (1.0 - confidence) / 2.0
    if trials == 0:
        return 0.0, 1.0
    lower = 0.0 if wrong == 0 else _where(wrong - 1, trials, 1.0 - tail)
    upper = 1.0 if wrong == trials else _where(wrong, trials, tail)
    return lower, upper


def _where(wrong: int, trials: int, chance: float) -> float:
    """The rate at which `at_most` has this value; it falls with the rate."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if at_most(wrong, trials, middle) > chance:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, for 0 < x < 1."""
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log_front + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(a, b, x) / a
    return 1.0 - front * _fraction(b, a, 1.0 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """1 / (1 + d1 / (1 + d2 / ...)); few steps where `_incomplete_beta` asks for it."""
    upper, lower, value = 1.0, 0.0, 1.0
    for step in range(1, _STEPS_MAX):
        coefficient = _coefficient(step, a, b, x)
        lower = 1.0 / _away_from_zero(1.0 + coefficient * lower)
        upper = _away_from_zero(1.0 + coefficient / upper)
        value *= upper * lower
        if abs(upper * lower - 1.0) < _EPSILON:
            break
    return 1.0 / value


def _coefficient(step: int, a: float, b: float, x: float) -> float:
    half, odd = divmod(step, 2)
    if odd:
        return -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1.0))
    return half * (b - half) * x / ((a + 2 * half - 1.0) * (a + 2 * half))


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
