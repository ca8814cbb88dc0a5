"""The expected quality of models is one reading of the encoder pass, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from router_extproc.models.base import Encoding
from router_extproc.signals.quality import QualitySignal
from router_extproc.testing.check_signal import check_signal
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.subjects import subject_of


@dataclass
class Qualities:
    """Fits models.base.QualityModel."""

    expected: Mapping[str, float]
    models: Sequence[str] = ("small", "large")
    reads_tasks: bool = False
    answer_tokens: Mapping[str, float] = field(default_factory=lambda: {"small": 80.0})

    def qualities(self, text: str, encoding: Encoding) -> Mapping[str, float]:
        del text, encoding
        return self.expected


def test_the_reading_has_the_quality_of_each_model() -> None:
    asked = subject_of("Solve it.", encoder=FakeEncoder())
    signal = QualitySignal("quality:mine", Qualities({"small": 0.4, "large": 0.9}))
    check_signal(signal, asked)
    reading = signal.read(asked)
    assert (reading.label, reading.score, reading.answer_tokens) == ("large", 0.9, {"small": 80.0})
    assert reading.scores == {"small": 0.4, "large": 0.9}
    assert QualitySignal("q", Qualities({})).read(asked).label is None
