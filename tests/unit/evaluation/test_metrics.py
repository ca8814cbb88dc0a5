"""Figures of merit against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from router_extproc.evaluation.metrics import (
    Estimate,
    auc,
    average_ranks,
    calibration_error,
    exact_share,
    share,
)


def test_share_has_wilsons_interval() -> None:
    """9 of 10: a textbook example."""
    estimate = share(9, 10)
    assert estimate is not None
    assert (estimate.value, estimate.rows) == (0.9, 10)
    assert (estimate.low, estimate.high) == pytest.approx((0.5958, 0.9821), abs=1e-4)


@pytest.mark.parametrize("hits", [0, 5])
def test_interval_stays_inside_zero_and_one(hits: int) -> None:
    estimate = share(hits, 5)
    assert estimate is not None
    assert 0.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0


def test_share_of_nothing_is_none() -> None:
    assert share(0, 0) is None


def auc_of(labels: list[bool], scores: list[float]) -> Estimate | None:
    return auc(np.array(labels), np.array(scores))


def test_auc_counts_pairs_in_order() -> None:
    """Of the four pairs of true and false, three are in order."""
    estimate = auc_of([True, False, True, False], [0.9, 0.8, 0.7, 0.1])
    assert estimate is not None
    assert estimate.value == pytest.approx(0.75)


def test_auc_counts_ties_half() -> None:
    estimate = auc_of([True, False], [0.5, 0.5])
    assert estimate is not None
    assert estimate.value == pytest.approx(0.5)


@pytest.mark.parametrize("labels", [[], [True, True], [False]])
def test_auc_needs_both_kinds(labels: list[bool]) -> None:
    assert auc_of(labels, [0.5] * len(labels)) is None


def test_equal_scores_share_their_ranks() -> None:
    assert average_ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_score_that_is_the_share_of_hits_is_calibrated() -> None:
    hits = np.array([True, True, True, False])
    assert calibration_error(hits, np.full(4, 0.75)) == pytest.approx(0.0)


def test_score_that_is_too_sure_is_not() -> None:
    hits = np.array([True, False])
    assert calibration_error(hits, np.ones(2)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("hits", "rows", "low", "high"),
    [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (3, 20, 0.0321, 0.3789), (1, 1, 0.025, 1.0)],
)
def test_exact_interval_is_that_of_clopper_and_pearson(hits: int, rows: int, low: float, high: float) -> None:
    """From their tables; Wilson's would be too narrow for few hits."""
    found = exact_share(hits, rows)
    assert (found.value, found.rows) == (hits / rows, rows)
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


def test_exact_interval_of_many_rows_nears_wilsons() -> None:
    found, wilson = exact_share(700, 100_000), share(700, 100_000)
    assert wilson is not None
    assert found.low == pytest.approx(wilson.low, rel=0.01)
    assert found.high == pytest.approx(wilson.high, rel=0.01)
