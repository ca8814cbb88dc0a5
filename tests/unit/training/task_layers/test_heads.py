"""Heads of the task layers are chosen on one half of the unseen rows and judged on the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from router_extproc.models.base import NameSpan
from router_extproc.models.onnx.heads import HEAD_NAME
from router_extproc.models.onnx.session import open_session, run_session
from router_extproc.training.task_layers.complexity_head import ComplexityHead, write_complexity_head
from router_extproc.training.task_layers.heads import (
    halves,
    judge_complexity_head,
    make_complexity_head,
    target_of,
)
from router_extproc.training.task_layers.judge import Judged, judge_names
from router_extproc.training.task_layers.rows import SOLVERS, TaskRow
from router_extproc.training.task_layers.states import States
from router_extproc.training.task_layers.task_head import Read

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


def complexity_head() -> tuple[ComplexityHead, Judged, Judged]:
    """The first element of the vector says what is hard; open questions have no option letters."""
    hard = np.arange(80) % 4 < 2
    tasks = np.zeros((80, DIM))
    tasks[:, 0] = np.where(hard, 1.0, -1.0)
    failed = [
        TaskRow(f"open {i}", "domain", "a", domain=0, failed=np.full(len(SOLVERS), float(each), np.float32))
        for i, each in enumerate(hard)
    ]
    routed = [TaskRow(f"routed {i}", "routed", "b", routed=(int(each), 0)) for i, each in enumerate(hard)]
    line = np.zeros((len(SOLVERS), DIM), np.float32)
    line[:, 0] = 1.0
    weights = {
        "failed.weight": line,
        "failed.bias": np.zeros(len(SOLVERS), np.float32),
        "routed.weight": np.stack([line[0], -line[0]]),
        "routed.bias": np.zeros(2, np.float32),
    }
    rows = [*failed, *routed]
    ids = np.array([[7, 8, 9] if row.kind == "domain" else [7, 5, 4] for row in rows], np.int32)
    states = States(
        hidden=np.zeros((0, DIM), np.float16),
        starts=np.arange(len(rows) + 1) * 3,
        vectors=np.concatenate([tasks, tasks]).astype(np.float32),
        ids=ids.reshape(-1),
        offsets=np.zeros((0, 2), np.int32),
        place={row.text: index for index, row in enumerate(rows)},
    )
    own, theirs = (
        replace(judged(part, tasks), read=read_of(part, tasks, states)) for part in (failed, routed)
    )
    return make_complexity_head(weights, rows, states, own, theirs), own, theirs


def read_of(rows: list[TaskRow], tasks: NDArray[np.float64], states: States) -> Read:
    vectors = tasks.astype(np.float32)
    return Read(vectors, vectors, [states.tokens(row.text) for row in rows])


def test_complexity_follows_what_models_fail_on() -> None:
    figures = judge_complexity_head(*complexity_head())
    assert figures.auc is not None
    assert figures.auc.value == 1.0
    assert figures.kept_at_half == 1.0


def test_written_complexity_says_what_its_parts_say(tmp_path: Path) -> None:
    head, own, theirs = complexity_head()
    write_complexity_head(tmp_path / "complexity", head, encoder="tasks-1")
    session = open_session(tmp_path / "complexity" / HEAD_NAME, where="test")
    for part in (own, theirs):
        wanted = head.scores(part.read)
        for row in range(4):
            feeds = {
                "task_vector": part.read.tasks[row][None],
                "vector": part.read.vectors[row][None],
                "ids": part.read.texts[row],
            }
            (scores,) = run_session(session, ["scores"], feeds, stage="test")
            assert scores[0].tolist() == pytest.approx(wanted[row].tolist(), abs=2e-3)


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
