"""Makes the heads of the task layers out of what training left, and judges them.

It is not training of the layers. The rule it keeps: how parts are weighed and scores are calibrated is
chosen on one half of the unseen rows and judged on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from router_extproc.signals.complexity import COPES, FAILS
from router_extproc.signals.guard import ATTACKS, BENIGN
from router_extproc.training.calibrate import find_temperature, surprise
from router_extproc.training.curve import draw_curve
from router_extproc.training.evaluate_guard import GuardFigures, judge_guard
from router_extproc.training.logistic import fit_logistic
from router_extproc.training.metrics import Estimate, auc, calibration_error, share
from router_extproc.training.net import Matrix, Plan, train_net
from router_extproc.training.phrases import train_phrases
from router_extproc.training.trunk.judge import Judged
from router_extproc.training.trunk.rows import DOMAINS, GUARD_LABELS, SOLVERS, TaskRow
from router_extproc.training.trunk.states import States
from router_extproc.training.trunk.task_head import TaskHead

#: Weights that are tried for the net over the encoder's own vector, and for the table over words.
MEANING_WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.8)
WORDS_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.45, 0.6)
#: Solvers that count as weak: models of seven to nine billion weights; and the strong ones.
WEAK_SOLVERS = tuple(SOLVERS.index(name) for name in SOLVERS[:6])
STRONG_SOLVERS = tuple(SOLVERS.index(name) for name in SOLVERS[-2:])

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class LabelTask:
    """A task that gives every row one of its labels."""

    #: Name of the trained layer.
    layer: str
    labels: Sequence[str]
    label_of: Callable[[TaskRow], int]


DOMAIN = LabelTask("domain", DOMAINS, lambda row: row.domain)
GUARD = LabelTask("guard", GUARD_LABELS, lambda row: row.guard)


def halves(judged: Judged) -> tuple[Judged, Judged]:
    """Every second row to choose by, the others to judge on."""
    return judged.part(slice(0, None, 2)), judged.part(slice(1, None, 2))


# ── labels ────────────────────────────────────────────────────────────────────────────────────


def make_label_head(
    task: LabelTask, weights: Weights, seen: Sequence[TaskRow], states: States, judged: Judged
) -> TaskHead:
    """The trained layer, with a net over meaning and a table over words beside it where they help."""
    kernel, bias = weights[f"{task.layer}.weight"].T, weights[f"{task.layer}.bias"]
    labels = np.array([task.label_of(row) for row in seen], np.int64)
    vectors = states.vectors[[states.place[row.text] for row in seen]]
    net = train_net(vectors, labels, len(task.labels), Plan())
    table = train_phrases([states.tokens(row.text) for row in seen], labels, len(task.labels))
    chosen, _ = halves(judged)
    truths = truths_of(task, chosen)

    def surprise_of(head: TaskHead) -> float:
        logits = head.logits(chosen.read)
        return surprise(logits / np.float32(find_temperature(logits, truths)), truths)

    plain = TaskHead(task.labels, kernel, bias)
    heads = [
        replace(plain, meaning=(net, meaning) if meaning else None, words=(table, words) if words else None)
        for meaning in MEANING_WEIGHTS
        for words in WORDS_WEIGHTS
    ]
    best = min(heads, key=surprise_of)
    return replace(best, temperature=round(find_temperature(best.logits(chosen.read), truths), 4))


def truths_of(task: LabelTask, judged: Judged) -> NDArray[np.int64]:
    """The labels of rows."""
    return np.array([task.label_of(row) for row in judged.rows], np.int64)


# ── complexity ────────────────────────────────────────────────────────────────────────────────


def make_complexity_head(weights: Weights, failed: Judged, routed: Judged) -> TaskHead:
    """One line through the layers that were trained on failures, calibrated to the weak model's.

    Its parts: weak solvers, strong solvers, and the weak and the strong model of the routed rows.
    """
    names = ("weak solvers", "strong solvers", "weak", "strong")
    kernels = np.stack([part_kernel(weights, name) for name in names], axis=1)
    biases = np.array([part_bias(weights, name) for name in names], np.float32)
    vectors, targets, counts = complexity_rows(failed, routed)
    found = fit_logistic((vectors @ kernels + biases).astype(np.float64), targets, weight=counts)
    factors = found[:-1].astype(np.float32)
    line, offset = kernels @ factors, np.float32(biases @ factors + found[-1])
    kernel = np.stack([np.zeros_like(line), line], axis=1).astype(np.float32)
    return TaskHead((COPES, FAILS), kernel, np.array([0, offset], np.float32))


def complexity_rows(
    failed: Judged, routed: Judged
) -> tuple[Matrix, NDArray[np.float64], NDArray[np.float64]]:
    """Vectors, targets and weights of the rows to choose by: both sets count the same.

    A routed row on which both models fail counts half as a failure: the strong model is no help there.
    """
    first, second = halves(failed)[0], halves(routed)[0]
    own = np.array([float(row.failed[0]) for row in first.rows if row.failed is not None])
    theirs = np.array([target_of(*row.routed) for row in second.rows if row.routed is not None])
    counts = np.concatenate([np.full(len(own), 1 / len(own)), np.full(len(theirs), 1 / len(theirs))])
    return (
        np.concatenate([first.read.tasks, second.read.tasks]),
        np.concatenate([own, theirs]),
        counts * (len(own) + len(theirs)) / 2,
    )


def target_of(weak: int, strong: int) -> float:
    """How much a routed row asks for the strong model."""
    return weak * (0.5 if strong else 1.0)


def part_kernel(weights: Weights, name: str) -> NDArray[np.float32]:
    """The line of one part, float32[dim]."""
    rows = {
        "weak solvers": weights["failed.weight"][list(WEAK_SOLVERS)],
        "strong solvers": weights["failed.weight"][list(STRONG_SOLVERS)],
        "weak": weights["routed.weight"][:1],
        "strong": weights["routed.weight"][1:],
    }
    return np.asarray(rows[name].mean(axis=0), np.float32)


def part_bias(weights: Weights, name: str) -> float:
    """The offset of one part."""
    values = {
        "weak solvers": weights["failed.bias"][list(WEAK_SOLVERS)],
        "strong solvers": weights["failed.bias"][list(STRONG_SOLVERS)],
        "weak": weights["routed.bias"][:1],
        "strong": weights["routed.bias"][1:],
    }
    return float(values[name].mean())


# ── figures ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """How good a head's labels are."""

    accuracy: Mapping[str, Estimate]
    recall: Mapping[str, Estimate]
    calibration_error: float


def judge_labels(task: LabelTask, made: TaskHead, judged: Judged) -> LabelFigures:
    """Over the half of the rows that nothing was chosen by."""
    _, kept = halves(judged)
    scores, truths = made.scores(kept.read), truths_of(task, kept)
    hits = scores.argmax(axis=1) == truths
    sources = np.array([row.source for row in kept.rows])
    by_source = {name: sources == name for name in sorted(set(sources))}
    return LabelFigures(
        accuracy=shares(hits, {"all": np.ones(len(hits), np.bool_), **by_source}),
        recall=shares(hits, {label: truths == index for index, label in enumerate(made.labels)}),
        calibration_error=calibration_error(hits, scores.max(axis=1).astype(np.float64)),
    )


def shares(hits: NDArray[np.bool_], groups: Mapping[str, NDArray[np.bool_]]) -> dict[str, Estimate]:
    """The share of hits in each group that has rows."""
    found = {name: share(int(hits[rows].sum()), int(rows.sum())) for name, rows in groups.items()}
    return {name: estimate for name, estimate in found.items() if estimate is not None}


def judge_guard_head(made: TaskHead, judged: Judged) -> GuardFigures:
    """Attacks against benign prompts; harmful requests count on neither side."""
    _, kept = halves(judged)
    harmful = GUARD_LABELS.index("harmful_request")
    kept = kept.part([place for place, row in enumerate(kept.rows) if row.guard != harmful])
    columns = [made.labels.index(kind) for kind in ATTACKS]
    return judge_guard(
        made.scores(kept.read)[:, columns].sum(axis=1).astype(np.float64),
        [GUARD_LABELS[row.guard] if row.guard != GUARD_LABELS.index(BENIGN) else BENIGN for row in kept.rows],
        [len(row.text) for row in kept.rows],
    )


@dataclass(frozen=True, slots=True)
class ComplexityJudged:
    """How good the complexity is."""

    auc: Estimate | None
    apgr: float | None
    kept_at_half: float | None
    calibration_error: float


def judge_complexity_head(made: TaskHead, failed: Judged, routed: Judged) -> ComplexityJudged:
    """Failures of a weak solver, and what routing keeps, over the other halves."""
    own, theirs = halves(failed)[1], halves(routed)[1]
    scores = made.scores(own.read)[:, 1].astype(np.float64)
    truths = np.array([bool(row.failed[0]) for row in own.rows if row.failed is not None])
    results = np.array([row.routed for row in theirs.rows if row.routed is not None], np.bool_)
    curve = draw_curve(made.scores(theirs.read)[:, 1].astype(np.float64), ~results[:, 0], ~results[:, 1])
    return ComplexityJudged(
        auc=auc(truths, scores),
        apgr=curve.apgr(),
        kept_at_half=curve.kept_at_half(),
        calibration_error=calibration_error(truths, scores),
    )
