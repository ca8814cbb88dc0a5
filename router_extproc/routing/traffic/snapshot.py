"""What a decision sees of traffic: a value that does not change while it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from router_extproc.routing.traffic.health import State
from router_extproc.routing.traffic.sums import Speed


@dataclass(frozen=True, slots=True)
class Factors:
    """What of live traffic counts; each can be switched off."""

    latency: bool = True
    errors: bool = True
    rate_limits: bool = True
    load: bool = True


@dataclass(frozen=True, slots=True)
class ModelTraffic:
    """What is known of one model at the moment of a decision."""

    state: State = "open"
    #: False: another candidate is to take this request.
    available: bool = True
    #: None: nothing is known, or it shall not count.
    speed: Speed | None = None
    #: Of its answers; None: not known.
    tokens: float | None = None
    load: int = 0
    #: In flight, on average, when the speed was measured.
    usual_load: float = 0.0
    #: Its speed is old: one request may measure it again.
    unmeasured: bool = False
    #: How many answers measured it, of which older ones count less.
    answers: float = 0.0


ALL_FACTORS: Final = Factors()
UNKNOWN: Final = ModelTraffic()


@dataclass(frozen=True, slots=True)
class TrafficSnapshot:
    """What is known of the pools at the moment of a decision."""

    #: Clusters.
    down: frozenset[str] = frozenset()
    #: By model, of those among which decisions choose.
    models: Mapping[str, ModelTraffic] = field(default_factory=dict)

    def is_down(self, cluster: str) -> bool:
        """False for a pool of which nothing is known."""
        return cluster in self.down

    def of(self, model: str) -> ModelTraffic:
        """What is known of a model."""
        return self.models.get(model, UNKNOWN)


ALL_UP: Final = TrafficSnapshot()
