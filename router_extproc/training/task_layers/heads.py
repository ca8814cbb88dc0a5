"""Makes the heads of the task layers out of what training left, and judges them.

How parts are weighed and scores are calibrated is chosen on one half of the unseen rows and judged on the
other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.curve import draw_curve
from router_extproc.evaluation.guard import GuardFigures, judge_guard
from router_extproc.evaluation.metrics import Estimate, auc, calibration_error, share
from router_extproc.signals.guard import ATTACKS, BENIGN
from router_extproc.training.heads.calibrate import find_temperature, surprise
from router_extproc.training.heads.logistic import fit_logistic
from router_extproc.training.heads.net import Plan, train_net
from router_extproc.training.heads.phrases import PhraseNet, PhrasePlan, train_phrases
from router_extproc.training.task_layers.complexity_head import ComplexityHead, Lines, gains_of
from router_extproc.training.task_layers.judge import Judged
from router_extproc.training.task_layers.rows import DOMAINS, GUARD_LABELS, TaskRow
from router_extproc.training.task_layers.states import States
from router_extproc.training.task_layers.task_head import TaskHead

#: Weights that are tried for the net over the encoder's own vector, and for the table over words.
MEANING_WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.8)
WORDS_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.45, 0.6)
#: Solvers that count as weak: Llama-3.1-8B, instructed and not.
WEAK_SOLVERS = tuple(range(2))
#: Of the lines over the encoder's vectors: strong, because what models fail on is mostly noise.
ROUTED_RIDGE = 300.0
#: Open questions, and those with answer options.
KINDS = ("open", "with options")
#: Clear-cut, and told by form: the letters before options.
KINDS_PLAN = PhrasePlan(epochs=4, smoothing=0.0, by_rarity=False)

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


def make_complexity_head(
    weights: Weights, seen: Sequence[TaskRow], states: States, failed: Judged, routed: Judged
) -> ComplexityHead:
    """Lines from training and from the encoder's vectors, weighed by the rows to choose by."""
    own, theirs = halves(failed)[0], halves(routed)[0]
    routed_tasks = Lines(weights["routed.weight"].T, weights["routed.bias"])
    routed_vector = fit_routed([row for row in seen if row.routed is not None], states)
    gains = gains_of(routed_tasks.chances(theirs.read.tasks), routed_vector.chances(theirs.read.vectors))
    targets = np.array([target_of(*row.routed) for row in theirs.rows if row.routed is not None])
    return ComplexityHead(
        fails=fit_fails(weights, own),
        routed_tasks=routed_tasks,
        routed_vector=routed_vector,
        gain=fit_logistic(gains.astype(np.float64), targets).astype(np.float32),
        kinds=tell_kinds(seen, states),
    )


def fit_fails(weights: Weights, judged: Judged) -> Lines:
    """The mean line of the weak solvers that are asked about, calibrated to their failures."""
    line = weights["failed.weight"][list(WEAK_SOLVERS)].mean(axis=0)
    offset = weights["failed.bias"][list(WEAK_SOLVERS)].mean()
    failures = np.array([row.failed[0] for row in judged.rows if row.failed is not None], np.float64)
    logits = (judged.read.tasks @ line + offset).astype(np.float64)
    slope, shift = fit_logistic(logits[:, None], failures)
    kernel = np.asarray(slope * line[:, None], np.float32)
    return Lines(kernel, np.array([slope * offset + shift], np.float32))


def fit_routed(rows: Sequence[TaskRow], states: States) -> Lines:
    """Lines over the encoder's vectors for the weak and the strong model's failures."""
    vectors = states.vectors[[states.place[row.text] for row in rows]].astype(np.float64)
    results = np.array([row.routed for row in rows], np.float64)
    lines = [fit_logistic(vectors, results[:, model], ridge=ROUTED_RIDGE) for model in (0, 1)]
    kernel = np.stack([line[:-1] for line in lines], axis=1).astype(np.float32)
    return Lines(kernel, np.array([line[-1] for line in lines], np.float32))


def tell_kinds(rows: Sequence[TaskRow], states: States) -> PhraseNet:
    """A table over words that tells questions with options from open ones."""
    kinds = [row for row in rows if row.routed is not None or row.kind == "domain"]
    labels = np.array([int(row.routed is not None) for row in kinds], np.int64)
    return train_phrases([states.tokens(row.text) for row in kinds], labels, len(KINDS), KINDS_PLAN)


def target_of(weak: int, strong: int) -> float:
    """How much a routed row asks for the strong model: half where that one fails, too."""
    return weak * (0.5 if strong else 1.0)


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


def judge_complexity_head(made: ComplexityHead, failed: Judged, routed: Judged) -> ComplexityJudged:
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
