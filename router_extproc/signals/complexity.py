"""The complexity signal: the chance that a weak model gives a wrong answer.

A head learned it from what models of many sizes got wrong; length and style alone do not decide. The score
is that chance; the label says only on which side of `min_score` it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from pydantic import Field

from router_extproc.models.base import Classifiers
from router_extproc.signals.base import SignalSettings
from router_extproc.signals.classifier_signal import ClassifierSignal

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

    def open(self, name: str, classifiers: Classifiers) -> ClassifierSignal:
        """See SignalSettings."""
        classifier = classifiers.trained(HEAD, where=f"signals.{name}")
        return ClassifierSignal(name, classifier, judge_failure, score_min=self.min_score)


def judge_failure(scores: Mapping[str, float]) -> tuple[str, float]:
    """The label that it would have, and the chance of failure."""
    return HARD, chance_of_failure(scores)


def chance_of_failure(scores: Mapping[str, float]) -> float:
    """The score, in [0, 1]; 0 without scores."""
    return scores.get(FAILS, 0.0)
