"""Figures of merit against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from router_extproc.training.metrics import Estimate, auc, average_ranks, calibration_error, share


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
