"""Labelled texts, which of them are judged on, and how good labels are on those.

Figures come from rows whose near-duplicates were not trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router_extproc.errors import ConfigError
from router_extproc.evaluation.metrics import Estimate, calibration_error, share
from router_extproc.training.heads.groups import group_rows, split_groups
from router_extproc.training.heads.net import Matrix, Plan

TEST_SHARE = 0.2

#: Called with the step's name and the share of it that is done, in [0, 1].
OnProgress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text."""

    text: str
    label: str
    #: Where it is from: figures are given for each source.
    source: str
    #: False: only trained on, never part of a figure.
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Figures:
    """What the head reached on rows that it had not seen."""

    accuracy: Estimate
    accuracy_by_source: dict[str, Estimate]
    recall_by_label: dict[str, Estimate]
    #: Mean distance of score and truth (ECE).
    calibration_error: float


def choose_test(examples: Sequence[Example], vectors: Matrix, plan: Plan) -> NDArray[np.bool_]:
    """The rows to judge on, bool[n]."""
    groups = group_rows([example.text for example in examples], vectors)
    judged = np.array([example.judged for example in examples])
    test: NDArray[np.bool_] = split_groups(groups, test_share=TEST_SHARE, seed=plan.seed) & judged
    if not test.any() or test.all():
        raise ConfigError("", f"{len(examples)} rows are too few, or too similar, to train and to judge")
    return test


def judge_rows(
    scores: Matrix, targets: NDArray[np.int64], labels: Sequence[str], sources: Sequence[str]
) -> Figures:
    """The figures of rows with these scores, float32[n, labels]."""
    hits = scores.argmax(axis=1) == targets
    from_source = np.array(sources)
    return Figures(
        accuracy=share_of(hits),
        accuracy_by_source={source: share_of(hits[from_source == source]) for source in sorted(set(sources))},
        recall_by_label={
            label: share_of(hits[targets == index]) for index, label in enumerate(labels) if index in targets
        },
        calibration_error=calibration_error(hits, scores.max(axis=1).astype(np.float64)),
    )


def share_of(hits: NDArray[np.bool_]) -> Estimate:
    """The share of hits; there is at least one row."""
    estimate = share(int(hits.sum()), len(hits))
    if estimate is None:
        raise ValueError("no rows")
    return estimate
