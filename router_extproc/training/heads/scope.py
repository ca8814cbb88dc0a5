"""Tells texts that mean none of the labels: out of scope.

The nets only learn what is in scope. Two facts decide: the score of the best label, and how near the text
is to the examples of that label. Their weights are fitted on rows that the nets have not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router_extproc.training.heads.logistic import fit_logistic
from router_extproc.training.heads.net import Matrix

#: Without such rows: a text is as likely out of scope as in it when its facts are as low as those of the
#: lowest of so many in scope; and how fast that changes, by their spread.
LOWEST_SHARE = 0.01
STEEPNESS = 2.0
#: The spread of either fact is taken as this at least: a handful of rows may be alike by chance.
SPREAD_MIN = (0.5, 0.05)
#: Fewer rows out of scope say too little: as if there were none.
OUTSIDE_ROWS_MIN = 10


@dataclass(frozen=True, slots=True)
class Scope:
    """Chance of being out of scope, from the facts of a text."""

    #: Mean direction of each label, float32[labels, dim].
    centres: Matrix
    #: Of the two facts, and the offset; float32[3].
    weights: NDArray[np.float32]

    def chances(self, logits: Matrix, vectors: Matrix) -> NDArray[np.float32]:
        """float32[n]."""
        facts = facts_of(logits, vectors, self.centres)
        return np.asarray(1 / (1 + np.exp(-(facts @ self.weights[:-1] + self.weights[-1]))), np.float32)


def facts_of(logits: Matrix, vectors: Matrix, centres: Matrix) -> Matrix:
    """The highest logit, and the highest cosine to a label's centre; float32[n, 2]."""
    return np.stack([logits.max(axis=1), (vectors @ centres.T).max(axis=1)], axis=1)


def centres_of(vectors: Matrix, targets: NDArray[np.int64], labels: int) -> Matrix:
    """The mean direction of each label's vectors, of length 1."""
    sums = np.stack([vectors[targets == label].sum(axis=0) for label in range(labels)])
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.where(lengths, lengths, 1), np.float32)


def fit_scope(inside: Matrix, outside: Matrix) -> NDArray[np.float32]:
    """The weights, from the facts of unseen rows in scope and out of it."""
    if len(outside) < OUTSIDE_ROWS_MIN:
        return guess_scope(inside)
    facts = np.concatenate([inside, outside]).astype(np.float64)
    labels = np.concatenate([np.zeros(len(inside)), np.ones(len(outside))])
    return np.asarray(fit_logistic(facts, labels), np.float32)


def guess_scope(inside: Matrix) -> NDArray[np.float32]:
    """The weights, from rows in scope alone: both facts count alike, in units of their spread."""
    spread = np.maximum(inside.std(axis=0), SPREAD_MIN).astype(np.float32)
    weights = -STEEPNESS / spread
    middle = float(np.quantile(inside @ weights, 1 - LOWEST_SHARE))
    return np.append(weights, -middle).astype(np.float32)
