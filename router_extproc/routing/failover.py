"""Fail-over: which models may still answer a request when the one that was chosen does not begin to.

The order is fixed by the configuration, so that Envoy, which asks them, is rendered from it; a model that
does not accept a request is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from router_extproc.routing.accepts import NO_DEMANDS, Demands
from router_extproc.routing.catalogue import Target
from router_extproc.routing.traffic import TrafficSnapshot

#: In the place of a decision's name: for requests that name a model, or that no decision takes.
ANY_DECISION: Final = ""


@dataclass(frozen=True, slots=True)
class Failovers:
    """Who is asked next, by decision and by the model that was asked first."""

    #: Of a decision that is not listed, ANY_DECISION's. No order has two models of one cluster.
    orders: Mapping[tuple[str, str], tuple[Target, ...]] = field(default_factory=dict)
    #: Models that one request is sent to at most, the first included.
    attempts_max: int = 1

    def after(self, decision: str, first: Target, demands: Demands = NO_DEMANDS) -> tuple[Target, ...]:
        """The models that a request is sent to after the first one, in their order."""
        return tuple(islice(self._able(decision, first, demands), self.attempts_max - 1))

    def up(
        self, decision: str, first: Target, traffic: TrafficSnapshot, demands: Demands = NO_DEMANDS
    ) -> Target | None:
        """The first of them whose pool is up; None: there is none, or no other is to be asked."""
        able = self._able(decision, first, demands)
        return next((each for each in able if not traffic.is_down(each.cluster)), None)

    @property
    def firsts(self) -> Iterator[str]:
        """The models after which another one is asked."""
        return (model for (_, model), order in self.orders.items() if order)

    def _able(self, decision: str, first: Target, demands: Demands) -> Iterator[Target]:
        order = self.orders.get((decision, first.model))
        if order is None:
            order = self.orders.get((ANY_DECISION, first.model), ())
        return (each for each in order if not demands.missing(each) and demands.fits(each))


NO_FAILOVERS: Final = Failovers()


def chain_name(clusters: Iterable[str]) -> str:
    """How Envoy's cluster is called that tries these one after another; no pool's name has a ">"."""
    return ">".join(clusters)
