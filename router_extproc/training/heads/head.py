"""What a head of a user's labels is made of: a net over meaning, a table over words, and a scope.

The scores of all labels and the chance of none of them sum to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from router_extproc.evaluation.rows import OUT_OF_SCOPE
from router_extproc.training.heads.net import Matrix, Net, softmax
from router_extproc.training.heads.phrases import Ids, PhraseNet
from router_extproc.training.heads.scope import Scope


@dataclass(frozen=True, slots=True)
class CustomHeadNet:
    """A head before it is written."""

    #: The labels by name; OUT_OF_SCOPE is the last one when rows had it.
    named: tuple[str, ...]
    meaning: Net
    words: PhraseNet
    #: How much the words count beside the meaning.
    words_weight: float
    temperature: float
    scope: Scope

    def scores(self, vectors: Matrix, texts: Sequence[Ids]) -> Matrix:
        """float32[n, len(named)]."""
        logits = join_logits(self.meaning.logits(vectors), self.words.logits(texts), self.words_weight)
        return score(self, logits, vectors)


def join_logits(meaning: Matrix, words: Matrix, weight: float) -> Matrix:
    """What both say together."""
    return np.asarray(meaning + np.float32(weight) * words, np.float32)


def score(net: CustomHeadNet, logits: Matrix, vectors: Matrix) -> Matrix:
    """The scores for joined logits."""
    chances = net.scope.chances(logits, vectors)[:, None]
    shares = softmax(logits / np.float32(net.temperature)) * (1 - chances)
    parts = [shares, chances] if OUT_OF_SCOPE in net.named else [shares]
    return np.concatenate(parts, axis=1)
