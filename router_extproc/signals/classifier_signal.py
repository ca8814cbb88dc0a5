"""What the signals that read a classifier (`intent`, `similarity`, `guard`, `complexity`) have in common.

Each says how scores become a label. A prompt that the encoder cannot read has no label and the score 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from router_extproc.models.base import Classifier
from router_extproc.signals.base import Reading, Subject

#: Scores by label to the label that they speak for, and how strongly; they are not empty.
Judge: TypeAlias = Callable[[Mapping[str, float]], tuple[str, float]]


class ClassifierSignal:
    """Fits signals.base.Signal."""

    needs_encoding = True

    def __init__(
        self, name: str, classifier: Classifier, judge: Judge, *, score_min: float, several: bool = False
    ) -> None:
        """Below `score_min` the reading has no label, only the score that was not enough.

        several: every label that reaches it is found, and not the best one alone.
        """
        self.name = name
        self.needs_tasks = classifier.reads_tasks
        self._classifier = classifier
        self._judge = judge
        self._score_min = score_min
        self._several = several

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        if subject.encoding is None or not subject.encoding.is_readable:
            return Reading(self.name, None, 0.0)
        scores = self._classifier.scores(subject.encoding)
        if not scores:
            return Reading(self.name, None, 0.0)
        label, score = self._judge(scores)
        if score < self._score_min:
            return Reading(self.name, None, score, scores)
        return Reading(self.name, label, score, scores, also=self._others(scores, label))

    def _others(self, scores: Mapping[str, float], label: str) -> tuple[str, ...]:
        """What else is found, the best first."""
        if not self._several:
            return ()
        found = [other for other, score in scores.items() if other != label and score >= self._score_min]
        return tuple(sorted(found, key=scores.__getitem__, reverse=True))


def likeliest(scores: Mapping[str, float]) -> tuple[str, float]:
    """The label with the highest score, and that score."""
    best = max(scores, key=scores.__getitem__)
    return best, scores[best]
