"""Evaluates the guard: attacks against benign prompts, and whether the score follows length.

The operating point is a share of false alarms, because benign prompts are nearly all there are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.encode import CHUNK
from router_extproc.evaluation.metrics import Estimate, auc, average_ranks, share
from router_extproc.models.base import Classifier, Encoder, Screen
from router_extproc.signals.guard import ATTACKS, BENIGN, INJECTION, attack_of
from router_extproc.signals.parts.documents import DocumentReader
from router_extproc.signals.parts.known import KnownTexts
from router_extproc.signals.parts.reader import Passes

#: Share of benign prompts that may be called attacks.
ALARMS_MAX = 0.01
#: Bins of length, of as many rows each, inside which the score is compared.
LENGTH_BINS = 8


@dataclass(frozen=True, slots=True)
class GuardPrediction:
    """What the guard says of one text."""

    attack: bool
    #: Chance of any attack, in [0, 1].
    score: float
    #: The likelier attack; None: none.
    kind: str | None


@dataclass(frozen=True, slots=True)
class GuardFigures:
    """How good the scores are over rows that are benign or attacks; None: there are not both."""

    rows: int
    auc: Estimate | None
    #: The score that ALARMS_MAX of the benign rows are above.
    score_min: float
    #: Share of the attacks above it.
    recall: Estimate | None
    recalls: Mapping[str, Estimate | None]
    #: What length alone would reach.
    auc_of_length: Estimate | None
    #: Mean over LENGTH_BINS of rows of like length.
    auc_matched: float | None
    #: Rank correlation of score and length.
    length_in_benign: float
    length_in_attacks: float


class GuardReader:
    """Reads texts as the guard does by default: prompts by their first window, tool results whole."""

    def __init__(
        self,
        prompts: Classifier,
        documents: Classifier,
        screen: Screen,
        encoder: Encoder,
        *,
        score_min: float,
    ) -> None:
        self._prompts: Final = prompts
        self._documents: Final = DocumentReader(documents, screen, INJECTION, KnownTexts())
        self._encoder: Final = encoder
        self._score_min: Final = score_min

    def predict(self, text: str, *, is_tool_result: bool) -> GuardPrediction:
        """What the guard says of one text."""
        scores = self._of_document(text) if is_tool_result else self._of_prompt(text)
        if not scores:
            return GuardPrediction(attack=False, score=0.0, kind=None)
        kind, score = attack_of({kind: scores.get(kind, 0.0) for kind in ATTACKS}, ATTACKS)
        attack = score >= self._score_min
        return GuardPrediction(attack=attack, score=score, kind=kind if attack else None)

    def _of_prompt(self, text: str) -> Mapping[str, float]:
        encoding = self._encoder.encode(text, tasks=self._prompts.reads_tasks)
        return self._prompts.scores(encoding) if encoding.is_readable else {}

    def _of_document(self, text: str) -> Mapping[str, float]:
        return self._documents.read(text, Passes(self._encoder.encode, sys.maxsize)).scores


def predict_guard(
    texts: Sequence[str], are_tool_results: Sequence[bool], reader: GuardReader
) -> Iterator[GuardPrediction]:
    """One prediction for each text, in order, on all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(texts), CHUNK):
            chunk = zip(texts, are_tool_results, strict=True)
            pieces = islice(chunk, start, start + CHUNK)
            yield from pool.map(lambda each: reader.predict(each[0], is_tool_result=each[1]), pieces)


def judge_guard(scores: NDArray[np.float64], labels: Sequence[str], lengths: Sequence[int]) -> GuardFigures:
    """The figures of rows that are benign or attacks."""
    named = np.array(labels, dtype=object)
    attack = named != BENIGN
    score_min = (
        float(np.quantile(scores[~attack], 1 - ALARMS_MAX, method="higher")) if not attack.all() else 1.0
    )
    above, size = scores > score_min, np.array(lengths, np.float64)
    return GuardFigures(
        rows=len(labels),
        auc=auc(attack, scores),
        score_min=score_min,
        recall=share(int((above & attack).sum()), int(attack.sum())),
        recalls={
            str(kind): share(int(above[named == kind].sum()), int((named == kind).sum()))
            for kind in sorted({label for label in labels if label != BENIGN})
        },
        auc_of_length=auc(attack, size),
        auc_matched=auc_at_like_length(attack, scores, size),
        length_in_benign=rank_correlation(scores[~attack], size[~attack]),
        length_in_attacks=rank_correlation(scores[attack], size[attack]),
    )


def auc_at_like_length(
    attack: NDArray[np.bool_], scores: NDArray[np.float64], lengths: NDArray[np.float64]
) -> float | None:
    """Mean AUC inside bins of length, over the bins that have both."""
    parts = np.array_split(np.argsort(lengths, kind="stable"), LENGTH_BINS)
    found = [auc(attack[rows], scores[rows]) for rows in parts if len(rows)]
    values = [each.value for each in found if each is not None]
    return float(np.mean(values)) if values else None


def rank_correlation(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Spearman's; 0 where one of both does not vary."""
    if len(left) < 2 or left.min() == left.max() or right.min() == right.max():  # noqa: PLR2004 - a line needs two points
        return 0.0
    return float(np.corrcoef(average_ranks(left), average_ranks(right))[0, 1])
