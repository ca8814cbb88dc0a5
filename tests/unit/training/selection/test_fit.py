"""What models have in common and what tells them apart are fitted each with its own shrinkage."""

from __future__ import annotations

import numpy as np

from router_extproc.training.selection.fit import Inputs, Matrix, expect, fit_kernel

ROWS = 240


def fitted(s: Matrix) -> tuple[Matrix, float]:
    """What is expected of the rows, and how much more strongly differences are shrunk."""
    x = inputs()
    parts, plan = fit_kernel(Inputs(x, (2,)), s, np.arange(len(x)))
    return expect(parts, plan, x), plan.ridge_apart / plan.ridge


def inputs() -> Matrix:
    return np.random.default_rng(5).uniform(-1, 1, (ROWS, 2))


def test_noise_between_models_is_shrunk_more_than_what_they_share() -> None:
    """All models fail on the same prompts, and differ by chance alone: nothing is there to choose by."""
    hard = 0.5 + 0.3 * np.sign(inputs()[:, :1])
    chance = np.random.default_rng(6).uniform(-0.2, 0.2, (ROWS, 3))
    expected, factor = fitted(hard + chance)
    assert factor > 1
    assert np.abs(expected - hard).mean() < 0.1
    assert np.ptp(expected - expected.mean(axis=0), axis=1).mean() < 0.1


def test_models_that_are_good_at_different_prompts_are_told_apart() -> None:
    side = np.sign(inputs()[:, 0])
    expected, _ = fitted(np.stack([0.5 + 0.4 * side, 0.5 - 0.4 * side], axis=1))
    assert np.mean(np.sign(expected[:, 0] - expected[:, 1]) == side) > 0.95


def test_models_that_never_answered_the_same_prompt_are_told_apart() -> None:
    """A row with one score has no mean of models that it could differ from."""
    side = np.sign(inputs()[:, 0])
    s = np.stack([0.5 + 0.4 * side, 0.5 - 0.4 * side], axis=1)
    s[::2, 0] = np.nan
    s[1::2, 1] = np.nan
    expected, _ = fitted(s)
    assert np.mean(np.sign(expected[:, 0] - expected[:, 1]) == side) > 0.9
