"""What is known of outcomes: one of them, and what many have come to, as values.

An outcome counts beside what was expected of that model for that prompt. So a model that gets the hard
prompts is not taken for a bad one, and what was learned from a table keeps telling prompts apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

#: "heard": of a person or a client, in the next message. "judged": by a shadow evaluation.
Source: TypeAlias = Literal["heard", "judged"]


@dataclass(frozen=True, slots=True)
class Learning:
    """How a decision learns from outcomes."""

    #: Its candidates.
    models: frozenset[str]
    #: An outcome counts half after so long.
    half_life_s: float
    #: Heard of one client, within one half-life.
    outcomes_per_client: int


@dataclass(frozen=True, slots=True)
class OutcomeBasis:
    """What is known when a request is decided of which an outcome may come."""

    #: Digests in hexadecimal: who asks, and in which session.
    client: str
    session: str
    #: Quality that was expected of the model, from 0 to 1.
    expected: float


@dataclass(frozen=True, slots=True)
class OutcomeSeen:
    """One answer was good enough, or it was not."""

    decision: str
    model: str
    source: Source
    good: bool
    basis: OutcomeBasis
    #: When that became known, in seconds since the Unix epoch.
    at_s: float


@dataclass(frozen=True, slots=True)
class OutcomeSums:
    """Outcomes added up, older ones with less weight."""

    good: float = 0.0
    bad: float = 0.0
    #: Good ones that were expected.
    expected: float = 0.0

    @property
    def count(self) -> float:
        """All of them."""
        return self.good + self.bad

    def with_one(self, expected: float, *, good: bool) -> OutcomeSums:
        """One more."""
        return OutcomeSums(self.good + good, self.bad + (not good), self.expected + expected)

    def times(self, share: float) -> OutcomeSums:
        """So much of each."""
        return OutcomeSums(self.good * share, self.bad * share, self.expected * share)


NONE_SEEN: Final = OutcomeSums()


@dataclass(frozen=True, slots=True)
class ModelOutcomes:
    """What is known of one model under one decision."""

    heard: OutcomeSums = NONE_SEEN
    judged: OutcomeSums = NONE_SEEN


_UNKNOWN: Final = ModelOutcomes()


@dataclass(frozen=True, slots=True)
class DecisionOutcomes:
    """What is known of one decision's models at the moment of a choice."""

    #: By model.
    models: Mapping[str, ModelOutcomes] = field(default_factory=dict)
    #: How many outcomes have ever counted.
    version: int = 0

    def of(self, model: str) -> ModelOutcomes:
        """Of one model."""
        return self.models.get(model, _UNKNOWN)


NO_OUTCOMES: Final = DecisionOutcomes()
