"""Fallbacks: which model answers while another one's pool is down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from router_extproc.routing.accepts import NO_DEMANDS, Demands
from router_extproc.routing.catalogue import Target
from router_extproc.routing.traffic import TrafficSnapshot


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """The configured fallbacks; a fallback may have one itself."""

    #: Every model, by its key.
    targets: Mapping[str, Target] = field(default_factory=dict)
    #: From model to model, without a circle.
    models: Mapping[str, str] = field(default_factory=dict)

    def of(self, target: Target, traffic: TrafficSnapshot, demands: Demands = NO_DEMANDS) -> Target | None:
        """The first model of the chain whose pool is up, and that accepts the request.

        None: the target itself is to be asked.

        When every pool of the chain is down, the target's own may as well be tried.
        """
        asked = target
        while traffic.is_down(asked.cluster) or (asked is not target and demands.missing(asked)):
            if asked.model not in self.models:
                return None
            asked = self.targets[self.models[asked.model]]
        return None if asked.model == target.model else asked


NO_FALLBACKS: Final = Fallbacks()
