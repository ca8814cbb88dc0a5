"""The intent signal: what a prompt is about.

A classifier (a trained head, or one over example prompts) scores the labels. Below `score_min` there is no
label, only the score that was not enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.models.base import Classifiers
from router_extproc.models.shipped import is_shipped_name, shipped_labels
from router_extproc.section import did_you_mean
from router_extproc.signals.base import SignalSettings
from router_extproc.signals.classifier_signal import ClassifierSignal, likeliest


class IntentSettings(SignalSettings):
    """Labels of prompts: a trained head (`model`), or example prompts by label (`examples`)."""

    path_fields: ClassVar[tuple[str, ...]] = ("model",)

    type: Literal["intent"]
    #: Name of a shipped head (for example mmlu14) or path of a trained one.
    model: str | None = None
    #: Label to a few prompts that mean it; no training.
    examples: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    #: Below it the reading has no label.
    min_score: float = Field(default=0.5, ge=0, le=1)
    #: Whether every label from there on is found, or the best one alone. The scores of all labels add up to
    #: one at most, so two can be found only with a min_score of 0.5 or less.
    several: bool = False

    @property
    def needs_encoder(self) -> bool:
        """See SignalSettings."""
        return True

    @property
    def ranks_labels(self) -> bool:
        """See SignalSettings."""
        return True

    @property
    def finds_several(self) -> bool:
        """See SignalSettings."""
        return self.several

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        if (self.model is None) == (not self.examples):
            given = "neither" if self.model is None else "both"
            yield ConfigError(path, f"needs either model or examples, got {given}")
        yield from self._model_problems(f"{path}.model")
        for label, examples in self.examples.items():
            if not any(example.strip() for example in examples):
                yield ConfigError(f"{path}.examples.{label}", "needs at least one example prompt")

    def labels(self) -> Sequence[str] | None:
        """See SignalSettings; those of a head in a folder are known once it is opened."""
        return tuple(self.examples) if self.model is None else shipped_labels().get(self.model)

    def _model_problems(self, path: str) -> Iterator[ConfigError]:
        shipped = shipped_labels()
        if self.model is None or not is_shipped_name(self.model) or self.model in shipped:
            return
        hint = did_you_mean(self.model, shipped)
        yield ConfigError(
            path, f"no shipped head named '{self.model}'{hint}; the path of a trained head needs a /"
        )

    def open(self, name: str, classifiers: Classifiers) -> ClassifierSignal:
        """See SignalSettings."""
        if self.model is None:
            classifier = classifiers.by_examples(self.examples)
        else:
            classifier = classifiers.trained(self.model, where=f"signals.{name}.model")
        return ClassifierSignal(name, classifier, likeliest, score_min=self.min_score, several=self.several)
