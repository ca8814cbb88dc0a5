"""Heads of the task layers are chosen on one half of the unseen rows and judged on the other."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from router_extproc.models.base import NameSpan
from router_extproc.training.trunk.heads import (
    COPES,
    FAILS,
    halves,
    judge_complexity_head,
    make_complexity_head,
    target_of,
)
from router_extproc.training.trunk.judge import Judged, judge_names
from router_extproc.training.trunk.rows import SOLVERS, TaskRow
from router_extproc.training.trunk.task_head import Read

DIM = 8


def judged(
    rows: list[TaskRow], tasks: NDArray[np.float64], names: list[tuple[NameSpan, ...]] | None = None
) -> Judged:
    read = Read(tasks.astype(np.float32), tasks.astype(np.float32), [np.array([1])] * len(rows))
    return Judged(rows, read, names or [()] * len(rows))


def test_halves_share_no_row() -> None:
    rows = [TaskRow(str(index), "spans", "a") for index in range(5)]
    chosen, kept = halves(judged(rows, np.zeros((5, DIM))))
    assert [row.text for row in chosen.rows] == ["0", "2", "4"]
    assert [row.text for row in kept.rows] == ["1", "3"]


def test_complexity_follows_what_models_fail_on() -> None:
    """The first element of the vector says it; the layers that were trained read it."""
    hard = np.arange(80) % 4 < 2
    tasks = np.zeros((80, DIM))
    tasks[:, 0] = np.where(hard, 1.0, -1.0)
    failed = [
        TaskRow(str(i), "domain", "a", failed=np.full(len(SOLVERS), float(each), np.float32))
        for i, each in enumerate(hard)
    ]
    routed = [TaskRow(str(i), "routed", "b", routed=(int(each), 0)) for i, each in enumerate(hard)]
    line = np.zeros((len(SOLVERS), DIM), np.float32)
    line[:, 0] = 1.0
    weights = {
        "failed.weight": line,
        "failed.bias": np.zeros(len(SOLVERS), np.float32),
        "routed.weight": line[:2],
        "routed.bias": np.zeros(2, np.float32),
    }
    own, theirs = judged(failed, tasks), judged(routed, tasks)
    head = make_complexity_head(weights, own, theirs)
    assert head.labels == (COPES, FAILS)
    figures = judge_complexity_head(head, own, theirs)
    assert figures.auc is not None
    assert figures.auc.value == 1.0
    assert figures.kept_at_half == 1.0


@pytest.mark.parametrize(("weak", "strong", "target"), [(0, 0, 0.0), (0, 1, 0.0), (1, 0, 1.0), (1, 1, 0.5)])
def test_a_failure_of_both_models_counts_half(weak: int, strong: int, target: float) -> None:
    assert target_of(weak, strong) == target


def test_names_on_everyday_rows_are_false_alarms_only() -> None:
    rows = [
        TaskRow("Ana in Rome", "spans", "a", spans=((0, 3, 0), (7, 11, 1))),
        TaskRow("Ana again", "spans", "everyday", spans=()),
    ]
    names = [
        (NameSpan(0, 3, "PERSON", 0.9), NameSpan(7, 11, "PERSON", 0.9)),
        (NameSpan(0, 3, "PERSON", 0.9),),
    ]
    figures = judge_names(judged(rows, np.zeros((2, DIM)), names))
    assert figures.f1 == pytest.approx(0.5)
    assert figures.false_alarms is not None
    assert figures.false_alarms.value == 1.0


def test_names_below_the_score_do_not_count() -> None:
    rows = [TaskRow("Ana", "spans", "a", spans=((0, 3, 0),))]
    figures = judge_names(judged(rows, np.zeros((1, DIM)), [(NameSpan(0, 3, "PERSON", 0.5),)]))
    assert figures.f1 == 0.0
