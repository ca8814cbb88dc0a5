"""The complexity signal: the chance that a weak model gives a wrong answer.

It is not a measure of length or of style: a head learned from what models of many sizes got wrong. The
rule it keeps: the score is a chance; the label says only on which side of `min_score` it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from pydantic import Field

from router_extproc.models.base import Classifier, Classifiers
from router_extproc.signals.base import Reading, SignalSettings, Subject

#: The shipped head, and its labels: whether a weak model fails or copes.
HEAD: Final = "complexity"
FAILS: Final = "fails"
COPES: Final = "copes"
#: The label of a prompt that a strong model should answer.
HARD: Final = "hard"


class ComplexitySettings(SignalSettings):
    """How likely a weak model fails; rules ask by `min` and `max`, or for the label `hard`."""

    type: Literal["complexity"]
    #: From it on the reading has the label `hard`. On questions of MMLU-Pro's kind half of what weak models
    #: are asked is above 0.6; small talk is far below.
    min_score: float = Field(default=0.6, ge=0, le=1)

    @property
    def needs_encoder(self) -> bool:
        """See SignalSettings."""
        return True

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return (HARD,)

    def open(self, name: str, classifiers: Classifiers) -> ComplexitySignal:
        """See SignalSettings."""
        classifier = classifiers.trained(HEAD, where=f"signals.{name}")
        return ComplexitySignal(name, classifier, score_min=self.min_score)


class ComplexitySignal:
    """The head's chance of failure. Fits signals.base.Signal."""

    needs_encoding = True

    def __init__(self, name: str, classifier: Classifier, *, score_min: float = 0.6) -> None:
        self.name = name
        self.needs_tasks = classifier.reads_tasks
        self._classifier = classifier
        self._score_min = score_min

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        if subject.encoding is None or not subject.encoding.is_readable:
            return Reading(self.name, None, 0.0)
        score = chance_of_failure(self._classifier.scores(subject.encoding))
        return Reading(self.name, HARD if score >= self._score_min else None, score)


def chance_of_failure(scores: Mapping[str, float]) -> float:
    """The score, in [0, 1]; 0 without scores."""
    return scores.get(FAILS, 0.0)
