"""The intent signal: what a prompt is about, by meaning.

It is not a model: a classifier (a trained head, or one over example prompts) scores the labels. The
rule it keeps: below `score_min` there is no label, only the score that was not enough.
"""

from __future__ import annotations

from router_extproc.models.base import Classifier, Encoding
from router_extproc.signals.base import Reading, Subject


class IntentSignal:
    """The best label of a classifier. Fits signals.base.Signal."""

    needs_encoding = True

    def __init__(self, name: str, classifier: Classifier, *, score_min: float = 0.5) -> None:
        self.name = name
        self._classifier = classifier
        self._score_min = score_min

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        if subject.encoding is None or not is_readable(subject.encoding):
            return Reading(self.name, None, 0.0)
        scores = self._classifier.scores(subject.encoding.vector)
        best = max(scores, key=scores.__getitem__)
        label = best if scores[best] >= self._score_min else None
        return Reading(self.name, label, scores[best], scores)


def is_readable(encoding: Encoding) -> bool:
    """True when the encoder knew at least one token; else the vector is about nothing."""
    return encoding.tokens > encoding.unknown_tokens
