"""A curve says what every threshold costs and keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from router_extproc.errors import ConfigError
from router_extproc.evaluation.curve import draw_curve, plot_curve

#: The weak model fails on the first two; the strong one is always right.
WEAK = np.array([False, False, True, True])
STRONG = np.array([True, True, True, True])


def test_the_best_order_recovers_the_gap_first() -> None:
    curve = draw_curve(np.array([0.9, 0.8, 0.2, 0.1]), WEAK, STRONG)
    assert curve.accuracy.tolist() == [0.5, 0.75, 1.0, 1.0, 1.0]
    assert curve.kept_at_half() == 1.0


def test_the_worst_order_recovers_it_last() -> None:
    curve = draw_curve(np.array([0.1, 0.2, 0.8, 0.9]), WEAK, STRONG)
    assert curve.accuracy.tolist() == [0.5, 0.5, 0.5, 0.75, 1.0]
    assert curve.apgr() == pytest.approx(0.3)


def test_a_threshold_belongs_to_every_share() -> None:
    curve = draw_curve(np.array([0.1, 0.7, 0.3, 0.5]), WEAK, STRONG)
    assert curve.threshold.tolist() == [np.inf, 0.7, 0.5, 0.3, 0.1]


def test_models_that_are_alike_leave_no_gap() -> None:
    assert draw_curve(np.array([0.1, 0.2, 0.3, 0.4]), STRONG, STRONG).apgr() is None


def test_without_matplotlib_the_user_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError, match=r"pip install 'router-extproc\[training\]'"):
        plot_curve(draw_curve(np.array([0.1]), WEAK[:1], STRONG[:1]), tmp_path / "curve.png")
