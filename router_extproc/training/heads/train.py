"""Trains the head of a user's labels: rows in; a head, its figures and its doubts out.

The encoder is not trained. Every figure comes from rows whose near-duplicates were not trained on; the
head that is kept is then trained on all rows, with the weights and the temperature found before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.encode import encode_chunks
from router_extproc.evaluation.metrics import Estimate, auc
from router_extproc.evaluation.rows import OUT_OF_SCOPE
from router_extproc.models.base import Encoder
from router_extproc.models.onnx.heads import NO_IDS
from router_extproc.training.heads.calibrate import find_temperature, surprise
from router_extproc.training.heads.examples import Example, Figures, OnProgress, choose_test, judge_rows
from router_extproc.training.heads.head import CustomHeadNet, join_logits
from router_extproc.training.heads.net import Matrix, Net, Plan, train_net
from router_extproc.training.heads.phrases import Ids, PhraseNet, PhrasePlan, train_phrases
from router_extproc.training.heads.scope import Scope, centres_of, facts_of, fit_scope

#: How much the words may count beside the meaning.
WORDS_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.45)
#: Fewer unseen rows are no measure of the weight and the temperature: then these are taken, which are
#: what thousands of rows gave.
UNSEEN_ROWS_MIN = 50
USUAL_WEIGHT = 0.2
USUAL_TEMPERATURE = 0.6
#: Rows from which a step takes LARGE_BATCH of them, else SMALL_BATCH.
LARGE_ROWS = 4_000
LARGE_BATCH = 128
SMALL_BATCH = 32
#: Passes over many rows; few rows get more, for about so many steps.
EPOCHS = 20
STEPS_MIN = 800
EPOCHS_MAX = 200
PHRASE_EPOCHS = 8
#: Share of the unseen rows in scope that score above the proposed threshold.
KEPT_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as the nets read them."""

    vectors: Matrix
    texts: Sequence[Ids]
    #: Indices of labels, -1 out of scope; int64[n].
    targets: NDArray[np.int64]

    def take(self, chosen: NDArray[np.bool_]) -> Rows:
        """Some of them."""
        places = np.flatnonzero(chosen)
        return Rows(
            self.vectors[places], [self.texts[place] for place in places.tolist()], self.targets[places]
        )

    @property
    def inside(self) -> NDArray[np.bool_]:
        """True for rows in scope."""
        return self.targets >= 0


@dataclass(frozen=True, slots=True)
class ScopeFigures:
    """How well prompts out of scope are recognised, on unseen rows."""

    #: The proposed `min_score`: KEPT_SHARE of the rows in scope are above it.
    threshold: float
    #: Share of rows out of scope below the threshold; None without such rows.
    refused: float | None
    #: Of the chance of being out of scope; None without such rows.
    auc: Estimate | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Unseen rows of one label that were given another."""

    truth: str
    said: str
    rows: int


@dataclass(frozen=True, slots=True)
class CustomHead:
    """A net for all rows, and what its like reached on unseen ones."""

    net: CustomHeadNet
    figures: Figures
    scope: ScopeFigures
    #: Most rows first.
    confusions: Sequence[Confusion]
    train_rows: int
    test_rows: int

    @property
    def temperature(self) -> float:
        """Of the net."""
        return self.net.temperature


def train_own(
    examples: Sequence[Example],
    encoder: Encoder,
    on_progress: OnProgress = lambda _step, _share: None,
    plan: Plan | None = None,
) -> CustomHead:
    """Encode, split by groups, train and judge, then train on everything.

    Raises:
        ConfigError: too few rows to judge on.
    """
    labels = tuple(sorted({example.label for example in examples} - {OUT_OF_SCOPE}))
    rows = read_texts(examples, labels, encoder, on_progress)
    test = choose_test(examples, rows.vectors, plan or Plan())
    test = keep_every_label(test, rows.targets)
    seen, unseen = rows.take(~test & rows.inside), rows.take(test & rows.inside)
    outside = rows.take(~rows.inside)
    parts = train_parts(seen, len(labels), plan, lambda done: on_progress("train to judge", done))
    judge = find_weights(parts, unseen, outside, labels)
    final = train_parts(
        rows.take(rows.inside), len(labels), plan, lambda done: on_progress("train on all rows", done)
    )
    net = CustomHeadNet(
        judge.named,
        final.meaning,
        final.words,
        judge.words_weight,
        judge.temperature,
        Scope(final.centres, judge.scope.weights),
    )
    scores = judge.scores(unseen.vectors, unseen.texts)
    sources = [example.source for example, chosen in zip(examples, test & rows.inside, strict=True) if chosen]
    return CustomHead(
        net,
        judge_rows(scores, unseen.targets, judge.named, sources),
        judge_scope(judge, unseen, outside),
        find_confusions(scores, unseen.targets, judge.named),
        len(seen.texts),
        len(unseen.texts),
    )


def read_texts(
    examples: Sequence[Example], labels: Sequence[str], encoder: Encoder, on_progress: OnProgress
) -> Rows:
    """Vectors and token ids of all rows."""
    vectors: list[NDArray[np.float32]] = []
    texts: list[Ids] = []
    for encodings in encode_chunks([example.text for example in examples], encoder):
        vectors += [encoding.vector for encoding in encodings]
        texts += [np.array(encoding.ids or NO_IDS, np.int64) for encoding in encodings]
        on_progress("encode", len(texts) / len(examples))
    places = {label: place for place, label in enumerate(labels)}
    targets = np.array([places.get(example.label, -1) for example in examples], np.int64)
    return Rows(np.stack(vectors), texts, targets)


def keep_every_label(test: NDArray[np.bool_], targets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The choice of unseen rows, without those of labels that would have no row to train on."""
    return test & np.isin(targets, targets[~test])


# ── training ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Parts:
    """What is learned from rows in scope."""

    meaning: Net
    words: PhraseNet
    centres: Matrix


def train_parts(rows: Rows, labels: int, plan: Plan | None, on_share: Callable[[float], None]) -> Parts:
    """Both nets and the labels' centres."""
    plan = plan or plan_for(len(rows.texts))
    phrase_plan = PhrasePlan(epochs=max(PHRASE_EPOCHS, plan.epochs // 2), batch=plan.batch)
    every = plan.epochs * plan.members + phrase_plan.epochs
    words = train_phrases(rows.texts, rows.targets, labels, phrase_plan, lambda done: on_share(done / every))
    before = phrase_plan.epochs
    meaning = train_net(
        rows.vectors, rows.targets, labels, plan, lambda done: on_share((before + done) / every)
    )
    return Parts(meaning, words, centres_of(rows.vectors, rows.targets, labels))


def plan_for(rows: int) -> Plan:
    """Long enough for few rows, quick enough for many."""
    batch = LARGE_BATCH if rows >= LARGE_ROWS else SMALL_BATCH
    epochs = min(EPOCHS_MAX, max(EPOCHS, math.ceil(STEPS_MIN * batch / rows)))
    return Plan(epochs=epochs, batch=batch)


def find_weights(parts: Parts, unseen: Rows, outside: Rows, labels: Sequence[str]) -> CustomHeadNet:
    """The judge: weight of the words, temperature and scope by the unseen rows."""
    meaning = parts.meaning.logits(unseen.vectors)
    words = parts.words.logits(unseen.texts)
    weight, temperature = weigh_words(meaning, words, unseen.targets)
    facts = facts_of(join_logits(meaning, words, weight), unseen.vectors, parts.centres)
    weights = fit_scope(facts, outside_facts(parts, outside, weight))
    named = (*labels, OUT_OF_SCOPE) if len(outside.texts) else tuple(labels)
    scope = Scope(parts.centres, weights)
    return CustomHeadNet(named, parts.meaning, parts.words, weight, round(temperature, 4), scope)


def weigh_words(meaning: Matrix, words: Matrix, targets: NDArray[np.int64]) -> tuple[float, float]:
    """The weight of the words and the temperature of the lowest mean surprise."""
    if len(targets) < UNSEEN_ROWS_MIN:
        return USUAL_WEIGHT, USUAL_TEMPERATURE
    tried = []
    for weight in WORDS_WEIGHTS:
        logits = join_logits(meaning, words, weight)
        temperature = find_temperature(logits, targets)
        tried.append((surprise(logits / np.float32(temperature), targets), weight, temperature))
    _, weight, temperature = min(tried)
    return weight, temperature


def outside_facts(parts: Parts, outside: Rows, weight: float) -> Matrix:
    """The facts of the rows out of scope; no net has seen them."""
    if not outside.texts:
        return np.zeros((0, 2), np.float32)
    logits = join_logits(parts.meaning.logits(outside.vectors), parts.words.logits(outside.texts), weight)
    return facts_of(logits, outside.vectors, parts.centres)


# ── judging ───────────────────────────────────────────────────────────────────────────────────


def judge_scope(judge: CustomHeadNet, unseen: Rows, outside: Rows) -> ScopeFigures:
    """The threshold, and what it refuses."""
    inside = best_scores(judge, unseen)
    threshold = round(float(np.quantile(inside, 1 - KEPT_SHARE)), 3)
    if not outside.texts:
        return ScopeFigures(threshold, None, None)
    strange = best_scores(judge, outside)
    labels = np.concatenate([np.zeros(len(inside), np.bool_), np.ones(len(strange), np.bool_)])
    scores = 1 - np.concatenate([inside, strange])
    return ScopeFigures(threshold, float((strange < threshold).mean()), auc(labels, scores))


def best_scores(judge: CustomHeadNet, rows: Rows) -> NDArray[np.float64]:
    """The score of the best label in scope."""
    scores = judge.scores(rows.vectors, rows.texts)
    in_scope = len(judge.named) - (OUT_OF_SCOPE in judge.named)
    return np.asarray(scores[:, :in_scope].max(axis=1), np.float64)


def find_confusions(scores: Matrix, targets: NDArray[np.int64], labels: Sequence[str]) -> list[Confusion]:
    """Every pair that was confused."""
    said = scores.argmax(axis=1)
    wrong = said != targets
    pairs, counts = np.unique(np.stack([targets[wrong], said[wrong]], axis=1), axis=0, return_counts=True)
    found = [
        Confusion(labels[truth], labels[given], int(rows))
        for (truth, given), rows in zip(pairs, counts, strict=True)
    ]
    return sorted(found, key=lambda each: (-each.rows, each.truth, each.said))
