"""Precision over hit ratio says what the cache's score is worth at every threshold."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from router_extproc.evaluation.cache_curve import draw_cache_curve, plot_cache_curve

SCORES = np.array([0.9, 0.8, 0.3, 0.1])
BEST = np.array([True, True, False, False])


def test_every_threshold_gives_a_hit_ratio_and_its_precision() -> None:
    curve = draw_cache_curve(SCORES, np.array([True, False, True, False]))
    assert curve is not None
    assert curve.hit_ratio.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.precision.tolist() == pytest.approx([1.0, 0.5, 2 / 3, 0.5])
    assert curve.recall.tolist() == [0.5, 0.5, 1.0, 1.0]


def test_the_area_is_over_hit_ratio_and_not_over_recall() -> None:
    curve = draw_cache_curve(SCORES, BEST)
    assert curve is not None
    assert curve.pr_auc() == pytest.approx(1.0)
    assert curve.p_chr_auc() == pytest.approx(0.25 + 0.25 + 0.25 * (1 + 2 / 3) / 2 + 0.25 * (2 / 3 + 0.5) / 2)
    assert curve.crr() == pytest.approx(curve.p_chr_auc())


def test_many_pairs_in_the_best_order_reach_the_most_that_their_labels_allow() -> None:
    labels = np.arange(20_000) < 6_000
    curve = draw_cache_curve(-np.arange(20_000.0), labels)
    assert curve is not None
    assert curve.p_chr_auc_max() == pytest.approx(0.3 * (1 - math.log(0.3)))
    assert curve.p_chr_auc() == pytest.approx(curve.p_chr_auc_max(), abs=1e-3)


def test_a_worse_order_has_a_smaller_area() -> None:
    best, worst = draw_cache_curve(SCORES, BEST), draw_cache_curve(-SCORES, BEST)
    assert best is not None
    assert worst is not None
    assert worst.p_chr_auc() < best.p_chr_auc()


def test_pairs_of_one_score_become_hits_together() -> None:
    curve = draw_cache_curve(np.array([0.5, 0.5, 0.5, 0.5]), BEST)
    assert curve is not None
    assert (curve.hit_ratio.tolist(), curve.precision.tolist()) == ([1.0], [0.5])
    assert curve.p_chr_auc() == 0.5


def test_without_a_pair_of_the_same_answer_there_is_no_curve() -> None:
    assert draw_cache_curve(SCORES, np.zeros(4, np.bool_)) is None
    assert draw_cache_curve(np.array([]), np.array([], np.bool_)) is None


def test_the_curve_becomes_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    curve = draw_cache_curve(SCORES, BEST)
    assert curve is not None
    plot_cache_curve(curve, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
