"""The intent signal gives the best label, if it is good enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from router_extproc.models.base import Encoding
from router_extproc.signals.base import Reading, Subject
from router_extproc.signals.classifier_signal import ClassifierSignal, likeliest
from router_extproc.testing.subjects import subject_of


class FixedClassifier:
    """Says the same of every vector."""

    reads_tasks = False

    def __init__(self, scores: Mapping[str, float]) -> None:
        self._scores = scores

    @property
    def labels(self) -> Sequence[str]:
        return tuple(self._scores)

    def scores(self, encoding: Encoding) -> Mapping[str, float]:  # noqa: ARG002 - the port
        return self._scores


SCORES = {"math": 0.6, "law": 0.4}
SIGNAL = ClassifierSignal("domain", FixedClassifier(SCORES), likeliest, score_min=0.5)


def encoded(*, tokens: int = 3, unknown: int = 0) -> Subject:
    plain = subject_of("any")
    encoding = Encoding(np.ones(2, np.float32), tokens, truncated=False, unknown_tokens=unknown)
    return replace(plain, encoding=encoding)


def test_best_label_wins() -> None:
    assert SIGNAL.read(encoded()) == Reading("domain", "math", 0.6, SCORES)


def test_score_at_the_bound_is_enough() -> None:
    signal = ClassifierSignal("domain", FixedClassifier(SCORES), likeliest, score_min=0.6)
    assert signal.read(encoded()).label == "math"


def test_score_under_the_bound_has_no_label_but_is_told() -> None:
    signal = ClassifierSignal("domain", FixedClassifier(SCORES), likeliest, score_min=0.61)
    assert signal.read(encoded()) == Reading("domain", None, 0.6, SCORES)


def test_several_labels_are_found_when_asked_the_best_first() -> None:
    scores = {"law": 0.2, "history": 0.3, "math": 0.45, "art": 0.05}
    signal = ClassifierSignal("domain", FixedClassifier(scores), likeliest, score_min=0.2, several=True)
    assert signal.read(encoded()) == Reading("domain", "math", 0.45, scores, also=("history", "law"))


def test_no_encoding_reads_as_nothing() -> None:
    assert SIGNAL.read(subject_of("any")) == Reading("domain", None, 0.0)


def test_text_that_the_encoder_does_not_know_reads_as_nothing() -> None:
    """Emoji alone all have one vector, and it is about nothing."""
    assert SIGNAL.read(encoded(tokens=2, unknown=2)).label is None


def test_partly_known_text_is_read() -> None:
    assert SIGNAL.read(encoded(tokens=2, unknown=1)).label == "math"
