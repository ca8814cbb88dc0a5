"""Splits the rows of all tasks into those that are trained on and those that are judged on.

Near-duplicates are on one side, whatever task they are rows of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router_extproc.training.heads.groups import group_rows, split_groups
from router_extproc.training.task_layers.rows import TaskRow
from router_extproc.training.task_layers.states import States

#: Share of the groups that is kept for judging: what is shipped never saw it.
UNSEEN_SHARE = 0.12
SEED = 5


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to train on and rows to judge on."""

    seen: list[TaskRow]
    unseen: list[TaskRow]


def split_rows(rows: Sequence[TaskRow], states: States) -> Split:
    """Split by groups of near-duplicates over all tasks; rows that are never judged are all seen."""
    groups = group_rows([row.question or row.text for row in rows], vectors_of(rows, states))
    chosen = split_groups(join_questions(rows, groups), test_share=UNSEEN_SHARE, seed=SEED)
    kept = [bool(left) and row.judged for left, row in zip(chosen, rows, strict=True)]
    return Split(
        seen=[row for row, left in zip(rows, kept, strict=True) if not left],
        unseen=[row for row, left in zip(rows, kept, strict=True) if left],
    )


def vectors_of(rows: Sequence[TaskRow], states: States) -> NDArray[np.float32]:
    """The encoder's vector of each row's text."""
    return states.vectors[[states.place[row.text] for row in rows]]


def join_questions(rows: Sequence[TaskRow], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups that share a question, letter for letter but for case and blanks, become one."""
    names: dict[int, int] = {}
    first: dict[str, int] = {}
    for row, group in zip(rows, groups.tolist(), strict=True):
        key = "".join((row.question or row.text).casefold().split())
        low, high = sorted((root(names, first.setdefault(key, group)), root(names, group)))
        names[high] = low
    return np.array([root(names, group) for group in groups.tolist()], np.int64)


def root(names: dict[int, int], group: int) -> int:
    """What the group is called now."""
    while names.get(group, group) != group:
        group = names[group]
    return group
