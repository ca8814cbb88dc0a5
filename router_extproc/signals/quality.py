"""The expected quality of each model's answer, for the selections `learned` and `cheapest`.

A selection brings it along by the folder that `train selection` wrote; it has no section of its own.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from router_extproc.models.base import Classifiers, QualityModel
from router_extproc.signals.base import Reading, SignalSettings, Subject


class QualitySignal:
    """Fits signals.base.Signal."""

    needs_encoding = True

    def __init__(self, name: str, model: QualityModel) -> None:
        self.name = name
        self.needs_tasks = model.reads_tasks
        self._model = model

    def read(self, subject: Subject) -> Reading:
        """See Signal; the label is the best model, the scores are of all."""
        if subject.encoding is None:
            return Reading(self.name, None, 0.0)
        scores = self._model.qualities(subject.ask.topic, subject.encoding)
        if not scores:
            return Reading(self.name, None, 0.0)
        best = max(scores, key=scores.__getitem__)
        return Reading(self.name, best, scores[best], scores, answer_tokens=self._model.answer_tokens)


class QualitySettings(SignalSettings):
    """What opens it."""

    path_fields: ClassVar[tuple[str, ...]] = ("model",)

    type: Literal["quality"] = "quality"
    #: The folder.
    model: str

    @property
    def needs_encoder(self) -> bool:
        """See SignalSettings."""
        return True

    def open(self, name: str, classifiers: Classifiers) -> QualitySignal:
        """See SignalSettings."""
        return QualitySignal(name, classifiers.quality(self.model, where="decisions[].selection.model"))
