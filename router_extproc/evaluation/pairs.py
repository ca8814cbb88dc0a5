"""Evaluates the cache's judgement on pairs: would the answer to the cached question be given?

A pair is a hit exactly when the cache with its default settings would replay one question's answer for
the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from router_extproc.config.model import SemanticCache
from router_extproc.evaluation.cache_curve import CacheCurve, draw_cache_curve
from router_extproc.evaluation.encode import encode_chunks
from router_extproc.evaluation.metrics import Estimate, auc, share
from router_extproc.models.base import Encoder, Encoding, Verifier
from router_extproc.pipeline.caching.question import SEMANTIC_PROMPT_BYTES_MAX

#: What the cache does when `similarity_threshold` is not configured.
SIMILARITY_MIN = float(SemanticCache.model_fields["similarity_threshold"].default)


@dataclass(frozen=True, slots=True)
class Question:
    """One text of a pair, as the cache sees it."""

    text: str
    encoding: Encoding

    @property
    def is_comparable(self) -> bool:
        """True when the semantic tier may look at it; else only an exact match counts."""
        size = len(self.text.encode("utf-8", "surrogatepass"))
        return self.encoding.is_faithful and size <= SEMANTIC_PROMPT_BYTES_MAX


@dataclass(frozen=True, slots=True)
class PairPrediction:
    """What the cache makes of one pair."""

    #: Cosine in [-1, 1].
    similarity: float
    #: Chance that the cached answer is right for the asked question, in [0, 1].
    score: float
    hit: bool


@dataclass(frozen=True, slots=True)
class PairFigures:
    """How good the predictions are; rows without a label count nowhere but in `rows`."""

    rows: int
    labelled: int
    #: Share of all rows that are hits.
    hit_rate: Estimate | None
    #: Of the hits, how many are right.
    precision: Estimate | None
    #: Of the pairs with the same answer, how many are hits.
    recall: Estimate | None
    #: How well score, and similarity alone, tell the pairs apart.
    auc_score: Estimate | None
    auc_similarity: Estimate | None
    #: See CacheCurve; None without a pair of the same answer.
    p_chr_auc: float | None
    p_chr_auc_max: float | None
    pr_auc: float | None
    crr: float | None


def predict_pairs(
    pairs: Sequence[tuple[str, str]], verifier: Verifier, encoder: Encoder
) -> Iterator[PairPrediction]:
    """One prediction for each pair of cached and asked text, in order."""
    texts = [text for pair in pairs for text in pair]
    encodings = chain.from_iterable(encode_chunks(texts, encoder))
    for cached, asked in pairs:
        # The texts of a pair follow each other, and so do their encodings.
        yield predict_pair(Question(cached, next(encodings)), Question(asked, next(encodings)), verifier)


def predict_pair(cached: Question, asked: Question, verifier: Verifier) -> PairPrediction:
    """Exact before semantic; no semantic hit without likeness and a verdict."""
    if cached.text == asked.text:
        return PairPrediction(1.0, 1.0, hit=True)
    # Rounding may put the product of two unit vectors just outside.
    similarity = max(-1.0, min(1.0, float(cached.encoding.vector @ asked.encoding.vector)))
    verdict = verifier.verify(cached.text, asked.text, similarity)
    comparable = cached.is_comparable and asked.is_comparable
    hit = comparable and similarity >= SIMILARITY_MIN and verdict.accepted
    return PairPrediction(similarity, verdict.score if comparable else 0.0, hit)


def judge_pairs(predictions: Sequence[PairPrediction], truths: Sequence[bool | None]) -> PairFigures:
    """The figures of predictions and the labels of their rows; None: no label."""
    known = [
        (prediction, truth)
        for prediction, truth in zip(predictions, truths, strict=True)
        if truth is not None
    ]
    labels = np.array([truth for _, truth in known], np.bool_)
    hits = np.array([prediction.hit for prediction, _ in known], np.bool_)
    right = int((labels & hits).sum())
    curve = cache_curve_of(predictions, truths)
    return PairFigures(
        rows=len(predictions),
        labelled=len(known),
        hit_rate=share(sum(prediction.hit for prediction in predictions), len(predictions)),
        precision=share(right, int(hits.sum())),
        recall=share(right, int(labels.sum())),
        auc_score=auc(labels, np.array([prediction.score for prediction, _ in known], np.float64)),
        auc_similarity=auc(labels, np.array([prediction.similarity for prediction, _ in known], np.float64)),
        p_chr_auc=None if curve is None else curve.p_chr_auc(),
        p_chr_auc_max=None if curve is None else curve.p_chr_auc_max(),
        pr_auc=None if curve is None else curve.pr_auc(),
        crr=None if curve is None else curve.crr(),
    )


def cache_curve_of(predictions: Sequence[PairPrediction], truths: Sequence[bool | None]) -> CacheCurve | None:
    """Precision over hit ratio, of the labelled rows; None without a pair of the same answer."""
    known = [(each, truth) for each, truth in zip(predictions, truths, strict=True) if truth is not None]
    scores = np.array([prediction.score for prediction, _ in known], np.float64)
    return draw_cache_curve(scores, np.array([truth for _, truth in known], np.bool_))
