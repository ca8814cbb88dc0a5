"""A classifier over a text's tokens and pairs of neighbouring tokens, trained in numpy.

It knows the words themselves, where the encoder's vector knows what they mean: the two are wrong on
different texts. A feature is arithmetic on token ids alone, so that the graph can do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router_extproc.training.heads.net import Matrix, softmax

Ids = NDArray[np.int64]

#: Rows of the table; tokens and pairs that fall on one row share it.
BUCKETS = 16_384
#: Factors that spread token ids, and pairs of them, over the buckets.
SINGLE_FACTOR = 7_919
LEFT_FACTOR = 245_489
RIGHT_FACTOR = 104_729
#: Length of a text's feature vector.
LENGTH = np.float32(6.0)
#: Keeps a text without known features from dividing by zero.
EPSILON = np.float32(1e-6)


@dataclass(frozen=True, slots=True)
class PhrasePlan:
    """How long and how fast the table is trained."""

    epochs: int = 8
    batch: int = 128
    #: First learning rate; it falls to zero in a straight line.
    rate: float = 0.15
    #: Share of a text's features that are left out, at random, in each step.
    dropout: float = 0.3
    #: Share of the target that is spread over all labels.
    smoothing: float = 0.1
    #: Rare features count more. False: all that are known count the same, as where form matters.
    by_rarity: bool = True
    seed: int = 7


@dataclass(frozen=True, slots=True)
class PhraseNet:
    """Token ids to logits, float32[labels]."""

    #: float32[BUCKETS, labels].
    table: Matrix
    #: What each feature weighs, float32[BUCKETS]: rare ones more, those of one text only nothing.
    rarity: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, texts: Sequence[Ids]) -> Matrix:
        """float32[len(texts), labels]."""
        rows = [features_of(ids) for ids in texts]
        sums = [strengths(row, self.rarity) @ self.table[row] for row in rows]
        return np.asarray(np.stack(sums) + self.bias, np.float32)


def features_of(ids: Ids) -> Ids:
    """The buckets of tokens and pairs of neighbours; ids: int64[tokens], at least one.

    Special tokens are in every text and so weigh nothing, but their pairs tell how a text begins and ends.
    """
    single = ids * SINGLE_FACTOR % BUCKETS
    pairs = (ids[:-1] * LEFT_FACTOR + ids[1:] * RIGHT_FACTOR) % BUCKETS
    return np.concatenate([single, pairs])


def strengths(features: Ids, rarity: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much each feature of one text counts, float32[features]; their length together is LENGTH."""
    weights = rarity[features]
    return np.asarray(weights * (LENGTH / np.sqrt((weights * weights).sum() + EPSILON)), np.float32)


def rarity_of(rows: Sequence[Ids]) -> NDArray[np.float32]:
    """The logarithm of how few texts have a feature, float32[BUCKETS]."""
    counts = np.bincount(np.concatenate([np.unique(row) for row in rows]), minlength=BUCKETS)
    known = counts > 1
    return np.where(known, np.log(len(rows) / np.maximum(counts, 1)), 0).astype(np.float32)


def train_phrases(
    texts: Sequence[Ids],
    targets: NDArray[np.int64],
    labels: int,
    plan: PhrasePlan | None = None,
    on_epoch: Callable[[int], None] = lambda _: None,
) -> PhraseNet:
    """Fit the table; targets: int64[n], indices of labels."""
    plan = plan or PhrasePlan()
    rows = [features_of(ids) for ids in texts]
    rarity = rarity_of(rows)
    if not plan.by_rarity:
        rarity = (rarity > 0).astype(np.float32)
    net = PhraseNet(np.zeros((BUCKETS, labels), np.float32), rarity, np.zeros(labels, np.float32))
    values = [strengths(row, rarity) for row in rows]
    wanted = np.eye(labels, dtype=np.float32) * (1 - plan.smoothing) + plan.smoothing / labels
    learner = TableLearner(net)
    generator = np.random.default_rng(plan.seed)
    for epoch in range(plan.epochs):
        order = generator.permutation(len(rows))
        for start in range(0, len(rows), plan.batch):
            chosen = order[start : start + plan.batch]
            rate = plan.rate * (1 - (epoch + start / len(rows)) / plan.epochs)
            batch = Batch.of([rows[row] for row in chosen], [values[row] for row in chosen])
            batch.drop(plan.dropout, generator)
            learner.step(batch, wanted[targets[chosen]].astype(np.float32), np.float32(rate))
        on_epoch(epoch + 1)
    return net


@dataclass(frozen=True, slots=True)
class Batch:
    """The features of several texts end to end."""

    features: Ids
    #: How much each counts, float32[features]; written to by `drop`.
    values: NDArray[np.float32]
    #: The text of each feature.
    owners: Ids
    #: Where each text begins; every text has one feature at least.
    starts: Ids

    @classmethod
    def of(cls, rows: Sequence[Ids], values: Sequence[NDArray[np.float32]]) -> Batch:
        """Joins the texts."""
        lengths = np.array([len(row) for row in rows], np.int64)
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)[:-1]])
        owners = np.repeat(np.arange(len(rows)), lengths)
        return cls(np.concatenate(list(rows)), np.concatenate(list(values)), owners, starts)

    def drop(self, share: float, generator: np.random.Generator) -> None:
        """Leave out a share of the features; the rest makes up for it."""
        kept = generator.random(len(self.values)) >= share
        self.values[:] = self.values * kept / np.float32(1 - share)


class TableLearner:
    """Adagrad, one pace for each bucket: only what a batch has is touched."""

    def __init__(self, net: PhraseNet) -> None:
        """Changes the net's table and bias in place."""
        self._net = net
        self._squares = np.full((len(net.table), 1), 1e-3, np.float32)

    def step(self, batch: Batch, wanted: Matrix, rate: np.float32) -> None:
        """Move towards the wanted shares, float32[texts, labels]."""
        net = self._net
        parts = net.table[batch.features] * batch.values[:, None]
        error = softmax(np.add.reduceat(parts, batch.starts, axis=0) + net.bias) - wanted
        order = np.argsort(batch.features, kind="stable")
        buckets, first = np.unique(batch.features[order], return_index=True)
        shares = error[batch.owners[order]] * batch.values[order][:, None]
        gradient = np.add.reduceat(shares, first, axis=0)
        self._squares[buckets] += (gradient * gradient).mean(axis=1, keepdims=True)
        net.table[buckets] -= rate * gradient / np.sqrt(self._squares[buckets])
        net.bias[:] -= rate * np.float32(0.1) * error.mean(axis=0)
