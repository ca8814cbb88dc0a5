"""Opens the classifiers that signals ask for: trained heads, or labels by example prompts.

All of them read the vectors of one encoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from router_extproc.errors import ConfigError
from router_extproc.models.base import Classifier, Encoder, QualityModel, Screen, TokenCounter
from router_extproc.models.examples import ExampleClassifier, NearestExamples
from router_extproc.models.onnx.heads import open_head
from router_extproc.models.onnx.quality import open_quality
from router_extproc.models.onnx.screen import open_screen
from router_extproc.models.onnx.token_counter import open_token_counter


class EncoderClassifiers:
    """Opens classifiers for one encoder. Fits models.base.Classifiers."""

    def __init__(self, encoder: Encoder | None) -> None:
        self._encoder = encoder

    def trained(self, model: str, *, where: str) -> Classifier:
        """See Classifiers."""
        return open_head(model, encoder=self._opened(), where=where)

    def screen(self, model: str, *, where: str) -> Screen:
        """See Classifiers."""
        return open_screen(model, where=where)

    def token_counter(self, file: str, *, where: str) -> TokenCounter:
        """See Classifiers."""
        return open_token_counter(file, where=where)

    def quality(self, folder: str, *, where: str) -> QualityModel:
        """See Classifiers."""
        return open_quality(Path(folder), encoder=self._opened(), where=where)

    def require_tasks(self, *, where: str) -> None:
        """See Classifiers."""
        if self._opened().task_identity is None:
            raise ConfigError(where, "needs the built-in encoder: other encoders have no task layers")

    def by_examples(self, examples: Mapping[str, Sequence[str]]) -> Classifier:
        """See Classifiers."""
        return ExampleClassifier.of(examples, self._opened())

    def nearest(self, examples: Mapping[str, Sequence[str]]) -> Classifier:
        """See Classifiers."""
        return NearestExamples.of(examples, self._opened())

    def _opened(self) -> Encoder:
        if self._encoder is None:
            raise TypeError("a signal that classifies must say needs_encoder")
        return self._encoder
