"""Trains an intent head on the frozen encoder: labelled texts in, a head and its figures out.

It is not fine-tuning: the encoder stays as it is and is shared by everything else. The rule it
keeps: figures come from rows whose near-duplicates were not trained on; the head that is kept is
then trained on all rows, with the temperature found before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from router_extproc.errors import ConfigError
from router_extproc.models.base import Encoder
from router_extproc.training.calibrate import find_temperature
from router_extproc.training.encode import encode_texts
from router_extproc.training.groups import group_rows, split_groups
from router_extproc.training.head_graph import write_head
from router_extproc.training.metrics import Estimate, calibration_error, share
from router_extproc.training.net import Matrix, Net, Plan, softmax, train_net

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


@dataclass(frozen=True, slots=True)
class Unseen:
    """What was said of the rows that were judged on."""

    examples: Sequence[Example]
    #: Calibrated, float32[n, labels].
    scores: Matrix


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """A net for all rows, and what its like reached on unseen ones."""

    net: Net
    labels: tuple[str, ...]
    temperature: float
    figures: Figures
    train_rows: int
    test_rows: int
    unseen: Unseen


def train_intent(
    examples: Sequence[Example],
    encoder: Encoder,
    plan: Plan | None = None,
    on_progress: OnProgress = lambda _step, _share: None,
) -> TrainedHead:
    """Encode, split by groups, train and judge, then train on everything.

    Raises:
        ConfigError: fewer than two labels, or too few rows to judge on.
    """
    plan = plan or Plan()
    labels = tuple(sorted({example.label for example in examples}))
    if len(labels) < 2:  # noqa: PLR2004 - one label is no choice
        raise ConfigError("", f"training needs at least two labels, the rows have {len(labels)}")
    texts = [example.text for example in examples]
    vectors = encode_texts(texts, encoder, lambda done: on_progress("encode", done))
    targets = np.array([labels.index(example.label) for example in examples], np.int64)
    test = choose_test(examples, vectors, plan)
    watch = watch_epochs("train to judge", plan, on_progress)
    judge = train_net(vectors[~test], targets[~test], len(labels), plan, watch)
    logits = judge.logits(vectors[test])
    temperature = find_temperature(logits, targets[test])
    scores = softmax(logits / np.float32(temperature))
    judged_on = [example for example, held_out in zip(examples, test, strict=True) if held_out]
    figures = judge_rows(scores, targets[test], labels, [example.source for example in judged_on])
    watch = watch_epochs("train on all rows", plan, on_progress)
    net = train_net(vectors, targets, len(labels), plan, watch)
    return TrainedHead(
        net, labels, temperature, figures, int((~test).sum()), int(test.sum()), Unseen(judged_on, scores)
    )


def choose_test(examples: Sequence[Example], vectors: Matrix, plan: Plan) -> NDArray[np.bool_]:
    """The rows to judge on, bool[n]."""
    groups = group_rows([example.text for example in examples], vectors)
    judged = np.array([example.judged for example in examples])
    test: NDArray[np.bool_] = split_groups(groups, test_share=TEST_SHARE, seed=plan.seed) & judged
    if not test.any() or test.all():
        raise ConfigError("", f"{len(examples)} rows are too few (or too alike) to train and to judge")
    return test


def watch_epochs(step: str, plan: Plan, on_progress: OnProgress) -> Callable[[int], None]:
    """Turns finished epochs into progress under the step's name."""
    epochs = plan.epochs * plan.members
    return lambda done: on_progress(step, done / epochs)


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


def save_head(trained: TrainedHead, folder: Path, *, encoder: Encoder) -> None:
    """Write the head under the folder's name."""
    write_head(
        folder,
        trained.net,
        name=folder.name,
        labels=trained.labels,
        encoder=encoder.identity,
        temperature=round(trained.temperature, 4),
    )
