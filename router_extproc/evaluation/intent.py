"""Evaluates a classifier on rows: one prediction a row, and figures over the labelled ones.

A row without a label is predicted and never counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from router_extproc.evaluation.encode import encode_chunks
from router_extproc.evaluation.metrics import Estimate, auc, calibration_error, share
from router_extproc.evaluation.rows import OUT_OF_SCOPE
from router_extproc.models.base import Classifier, Encoder, Encoding


@dataclass(frozen=True, slots=True)
class IntentPrediction:
    """What the classifier says of one text."""

    #: The best label; None: the text has nothing that the encoder knows.
    label: str | None
    #: Of the best label in scope, in [0, 1]: low means out of scope, whatever the label.
    score: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """How one label fares; None where no row says anything of it."""

    precision: Estimate | None
    recall: Estimate | None


@dataclass(frozen=True, slots=True)
class IntentFigures:
    """How good the predictions are; rows without a label count nowhere but in `rows`."""

    rows: int
    labelled: int
    accuracy: Estimate | None
    #: Mean distance of score and share of hits (ECE).
    calibration_error: float | None
    labels: Mapping[str, LabelFigures]
    #: Over the rows that are not labelled `oos`; None: no row is.
    accuracy_in_scope: Estimate | None = None
    #: How well a low score tells rows labelled `oos` from the others; None: there are not both.
    auc_out_of_scope: Estimate | None = None


def predict_intents(
    texts: Sequence[str], classifier: Classifier, encoder: Encoder
) -> Iterator[IntentPrediction]:
    """One prediction for each text, in order."""
    for encodings in encode_chunks(texts, encoder, tasks=classifier.reads_tasks):
        for encoding in encodings:
            yield predict_intent(encoding, classifier)


def predict_intent(encoding: Encoding, classifier: Classifier) -> IntentPrediction:
    """The best label of one text."""
    if not encoding.is_readable:
        return IntentPrediction(None, 0.0, dict.fromkeys(classifier.labels, 0.0))
    scores = classifier.scores(encoding)
    if not scores:
        return IntentPrediction(None, 0.0, dict.fromkeys(classifier.labels, 0.0))
    best = max(scores, key=scores.__getitem__)
    in_scope = max(score for label, score in scores.items() if label != OUT_OF_SCOPE)
    return IntentPrediction(best, in_scope, scores)


def judge_intents(predictions: Sequence[IntentPrediction], truths: Sequence[str | None]) -> IntentFigures:
    """The figures of predictions and the labels of their rows; None: no label."""
    pairs = [
        (prediction, truth)
        for prediction, truth in zip(predictions, truths, strict=True)
        if truth is not None
    ]
    hits = np.array([prediction.label == truth for prediction, truth in pairs], np.bool_)
    scores = np.array([prediction.scores.get(str(prediction.label), 0.0) for prediction, _ in pairs])
    named = sorted({truth for _, truth in pairs})
    inside = np.array([truth != OUT_OF_SCOPE for _, truth in pairs], np.bool_)
    surest = np.array([prediction.score for prediction, _ in pairs], np.float64)
    return IntentFigures(
        rows=len(predictions),
        labelled=len(pairs),
        accuracy=share(int(hits.sum()), len(pairs)),
        calibration_error=calibration_error(hits, scores) if pairs else None,
        labels={label: judge_label(label, pairs) for label in named},
        accuracy_in_scope=None if inside.all() else share(int(hits[inside].sum()), int(inside.sum())),
        auc_out_of_scope=auc(inside, surest),
    )


def judge_label(label: str, pairs: Sequence[tuple[IntentPrediction, str]]) -> LabelFigures:
    """Precision and recall of one label."""
    predicted = sum(prediction.label == label for prediction, _ in pairs)
    there = sum(truth == label for _, truth in pairs)
    hits = sum(prediction.label == label == truth for prediction, truth in pairs)
    return LabelFigures(precision=share(hits, predicted), recall=share(hits, there))
