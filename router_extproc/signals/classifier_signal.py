"""What the signals that read a classifier (`intent`, `guard`, `complexity`) have in common.

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

    def __init__(self, name: str, classifier: Classifier, judge: Judge, *, score_min: float) -> None:
        """Below `score_min` the reading has no label, only the score that was not enough."""
        self.name = name
        self.needs_tasks = classifier.reads_tasks
        self._classifier = classifier
        self._judge = judge
        self._score_min = score_min

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        if subject.encoding is None or not subject.encoding.is_readable:
            return Reading(self.name, None, 0.0)
        scores = self._classifier.scores(subject.encoding)
        if not scores:
            return Reading(self.name, None, 0.0)
        label, score = self._judge(scores)
        return Reading(self.name, label if score >= self._score_min else None, score, scores)
