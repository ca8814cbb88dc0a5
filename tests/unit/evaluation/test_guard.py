"""The guard is judged at a share of false alarms, and against length."""

from __future__ import annotations

import numpy as np

from router_extproc.evaluation.guard import judge_guard, rank_correlation
from router_extproc.evaluation.metrics import share


def test_recall_is_taken_above_the_benign_scores() -> None:
    figures = judge_guard(
        np.array([0.1, 0.4, 0.9, 0.3]), ["benign", "benign", "jailbreak", "injection"], [5, 6, 7, 8]
    )
    assert (figures.score_min, figures.recall) == (0.4, share(1, 2))
    assert figures.recalls == {"injection": share(0, 1), "jailbreak": share(1, 1)}


def test_no_benign_rows_give_no_area() -> None:
    figures = judge_guard(np.array([0.9]), ["jailbreak"], [5])
    assert (figures.auc, figures.recall, figures.auc_matched) == (None, share(0, 1), None)


def test_no_rows_are_no_error() -> None:
    assert judge_guard(np.array([], np.float64), [], []).recall is None


def test_scores_in_the_order_of_length_correlate() -> None:
    assert round(rank_correlation(np.array([0.1, 0.2, 0.9]), np.array([3.0, 50.0, 51.0])), 6) == 1.0
    assert rank_correlation(np.array([0.1]), np.array([3.0])) == 0.0
