"""What a signal is: it measures one fact of a request and gives a reading.

Adding one: a file here with a class that fits `Signal`, a configuration model, and one line in
`__init__.py`; `testing.check_signal` is its contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from router_extproc.llm.request import InferenceRequest
from router_extproc.models.base import Encoding


@dataclass(frozen=True, slots=True)
class Subject:
    """What a signal may look at."""

    request: InferenceRequest
    #: Names in lower case; values decoded as UTF-8 with replacement.
    headers: Mapping[str, str]
    #: None when no signal asked for it, or when inference failed or ran out of budget.
    encoding: Encoding | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A signal's result."""

    #: The signal's name in the configuration.
    name: str
    #: What was found; None: nothing (no keyword, score under min_score, header absent).
    label: str | None
    #: In [0, 1].
    score: float
    #: All scores by label, where the signal ranks several.
    scores: Mapping[str, float] = field(default_factory=dict)


class Signal(Protocol):
    """Measures one fact; pure, bounded in time, never raises on any text."""

    @property
    def name(self) -> str:
        """The name in the configuration, unique there."""
        ...

    @property
    def needs_encoding(self) -> bool:
        """True when it can say nothing without the encoder pass; it then runs in the executor."""
        ...

    def read(self, subject: Subject) -> Reading:
        """The reading; without a needed encoding, a Reading with label None and score 0."""
        ...
