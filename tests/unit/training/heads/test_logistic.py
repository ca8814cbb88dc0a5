"""Calibration is only as good as the fit under it."""

import numpy as np
import pytest

from router_extproc.training.heads.logistic import chances, fit_logistic


def test_the_weights_that_made_the_labels_are_found() -> None:
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(20_000, 2)) * [1.0, 50.0] + [0.0, 7.0]
    truth = np.array([1.5, -0.02, 0.5])
    labels = (rng.random(20_000) < chances(columns, truth)).astype(float)
    assert fit_logistic(columns, labels, ridge=0.01) == pytest.approx(truth, abs=0.1)


def test_rows_of_no_weight_count_for_nothing() -> None:
    columns = np.array([[0.0], [1.0], [0.0], [1.0], [5.0]])
    labels = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    weight = np.array([1.0, 1.0, 1.0, 1.0, 0.0])
    found = fit_logistic(columns, labels, weight=weight)
    assert chances(columns[:4], found) == pytest.approx(0.5, abs=0.01)
