"""Traffic: which pools are down, and which model answers in the place of one that is.

Pure state: `server/pool_probe.py` tells what it measured, the answer observer what Envoy said. A pool is
believed to be down when Envoy has just said so, or when no endpoint of it answers a probe any more although
one did before: a sidecar that can never reach the pools itself must not take them away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from router_extproc.clock import Clock
from router_extproc.routing.policy import Route, Target

#: Response code details of Envoy: it had no endpoint to ask, and: an endpoint answered.
NO_ENDPOINT: Final = "no_healthy_upstream"
ANSWERED: Final = "via_upstream"
#: The same for an endpoint that took no connection, after the retries at other endpoints.
_RESET: Final = "upstream_reset_before_response_started{"
_UNCONNECTED: Final = "connection_failure"
#: How long Envoy's word that a pool is down holds; then one request finds out again.
ENVOY_SAID_S: Final = 5.0


@dataclass(slots=True)
class _Pool:
    """What is known of one pool; times are monotonic."""

    #: A probe has reached it once.
    reached: bool = False
    #: When its probes began to fail; None: they do not.
    failing_s: float | None = None
    envoy_said_s: float | None = None
    answered_s: float | None = None
    #: As last told by `changes`.
    told_up: bool = True

    def is_up(self, now_s: float) -> bool:
        if self.envoy_said_s is not None and now_s - self.envoy_said_s < ENVOY_SAID_S:
            return False
        if self.failing_s is None or not self.reached:
            return True
        return self.answered_s is not None and self.answered_s > self.failing_s


class Traffic:
    """The pools of models that have a fallback; every other pool is always taken for up."""

    def __init__(self, clock: Clock, targets: Mapping[str, Target], fallbacks: Mapping[str, str]) -> None:
        """Of models by key; `fallbacks`: from model to model, without a circle."""
        self._clock = clock
        self._targets = targets
        self._fallbacks = fallbacks
        self._pools = {targets[model].cluster: _Pool() for model in fallbacks}

    @property
    def watched(self) -> tuple[str, ...]:
        """The clusters whose state matters, in the order of the models."""
        return tuple(self._pools)

    def cluster_of(self, model: str) -> str | None:
        """Where a model is served; None: there is no such model."""
        target = self._targets.get(model)
        return None if target is None else target.cluster

    def route(self, route: Route) -> Route:
        """The same route to the first model of the chain that is up; to its own when none is."""
        model = route.target.model
        while not self._is_up(self._targets.get(model, route.target).cluster):
            if model not in self._fallbacks:
                return route
            model = self._fallbacks[model]
        if model == route.target.model:
            return route
        return replace(route, target=self._targets[model], fallback_of=route.target.model)

    def _is_up(self, cluster: str) -> bool:
        pool = self._pools.get(cluster)
        return pool is None or pool.is_up(self._clock.monotonic_s())

    def probed(self, cluster: str, *, up: bool) -> None:
        """A round of probes is over: an endpoint of the pool is alive, or none."""
        pool = self._pools.get(cluster)
        if pool is None:
            return
        if not up:
            pool.failing_s = self._clock.monotonic_s() if pool.failing_s is None else pool.failing_s
            return
        if pool.failing_s is not None:
            pool.envoy_said_s = None
        pool.reached, pool.failing_s = True, None

    def heard(self, cluster: str, details: str) -> None:
        """What Envoy said of an answer that came by."""
        pool = self._pools.get(cluster)
        if pool is None:
            return
        if details == NO_ENDPOINT or (details.startswith(_RESET) and _UNCONNECTED in details):
            pool.envoy_said_s = self._clock.monotonic_s()
        elif details == ANSWERED:
            pool.answered_s, pool.envoy_said_s = self._clock.monotonic_s(), None

    def states(self) -> dict[str, bool]:
        """Cluster to whether it is up."""
        return {cluster: self._is_up(cluster) for cluster in self._pools}

    def changes(self) -> dict[str, bool]:
        """The states that are other ones than when this was last asked."""
        changed = {}
        for cluster, up in self.states().items():
            if self._pools[cluster].told_up is not up:
                self._pools[cluster].told_up = changed[cluster] = up
        return changed
