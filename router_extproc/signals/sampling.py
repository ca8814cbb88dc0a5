"""The sampling signal: the client asks the model for another answer each time.

It reads what the request says of sampling: a temperature at or above a bound, and no seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from router_extproc.llm.answer import JsonObject
from router_extproc.models.base import Classifiers
from router_extproc.signals.base import Reading, SignalSettings, Subject

#: The label of a request that is sampled so.
SAMPLED: Final = "sampled"


class SamplingSettings(SignalSettings):
    """Matches when the request asks for a high temperature without a seed."""

    type: Literal["sampling"]
    #: The request's own temperature, inclusive; a request that names none is not matched.
    temperature_min: float = Field(default=1.0, ge=0)
    #: Whether a request with a seed, which asks for the same answer again, is left out.
    without_seed: bool = True

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return (SAMPLED,)

    @property
    def reads_texts(self) -> bool:
        """See SignalSettings."""
        return False

    def open(self, name: str, classifiers: Classifiers) -> SamplingSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        return SamplingSignal(name, temperature_min=self.temperature_min, without_seed=self.without_seed)


class SamplingSignal:
    """Tells whether a request is sampled at a high temperature. Fits signals.base.Signal."""

    needs_encoding = False
    needs_tasks = False

    def __init__(self, name: str, *, temperature_min: float, without_seed: bool) -> None:
        self.name = name
        self._temperature_min = temperature_min
        self._without_seed = without_seed

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        found = self._is_sampled(subject.request.body)
        return Reading(self.name, SAMPLED, 1.0) if found else Reading(self.name, None, 0.0)

    def _is_sampled(self, body: JsonObject) -> bool:
        temperature = body.get("temperature")
        if isinstance(temperature, bool) or not isinstance(temperature, int | float):
            return False
        seeded = self._without_seed and body.get("seed") is not None
        return temperature >= self._temperature_min and not seeded
