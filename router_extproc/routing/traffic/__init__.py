"""Traffic: which pools are down, as far as this worker knows.

`process/pool_probe.py` reports its probes, the answer observer what Envoy said of an answer. A pool counts
as down when Envoy has just said so, or when none of its endpoints answers a probe any more although one did
before: a sidecar that can never reach the pools itself must not take them out of service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.clock import Clock
from router_extproc.routing.catalogue import Target
from router_extproc.routing.traffic.answers import AnswerSeen
from router_extproc.routing.traffic.live import LiveTraffic
from router_extproc.routing.traffic.snapshot import ALL_UP, TrafficSnapshot

__all__ = ["ALL_UP", "Traffic", "TrafficSnapshot"]

#: Response code details of Envoy: it had no endpoint to ask, and: an endpoint answered.
NO_ENDPOINT: Final = "no_healthy_upstream"
ANSWERED: Final = "via_upstream"
#: The same for an endpoint that took no connection, after the retries at other endpoints.
_RESET: Final = "upstream_reset_before_response_started{"
_UNCONNECTED: Final = "connection_failure"
#: Requests in a row that a pool did not begin to answer: then it counts as down.
FAILURES_MAX: Final = 3
#: How long Envoy's word that a pool is down holds; then requests find out again.
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
    #: Requests in a row that went to another pool because it did not begin to answer.
    failures: int = 0
    #: As last told by `changes`.
    told_up: bool = True

    def is_up(self, now_s: float) -> bool:
        if self.envoy_said_s is not None and now_s - self.envoy_said_s < ENVOY_SAID_S:
            return False
        if self.failing_s is None or not self.reached:
            return True
        return self.answered_s is not None and self.answered_s > self.failing_s


class Traffic:
    """The state of the pools whose requests may go to another one; every other pool always counts as up."""

    def __init__(self, clock: Clock, targets: Mapping[str, Target], leavable: Iterable[str]) -> None:
        """`targets`: by model; `leavable`: the models in whose place another one may answer."""
        self._clock = clock
        self._targets = targets
        self._pools = {targets[model].cluster: _Pool() for model in leavable}
        #: How fast the pools are, and whether they fail.
        self.live: Final = LiveTraffic(clock)

    @property
    def watched(self) -> tuple[str, ...]:
        """The clusters whose state matters, in the order of the models."""
        return tuple(self._pools)

    def follow(self, targets: Mapping[str, Target], leavable: Iterable[str]) -> None:
        """Other models from now on; what is known of a pool that is still watched stays known."""
        clusters = dict.fromkeys(targets[model].cluster for model in leavable)
        self._targets = targets
        self._pools = {cluster: self._pools.get(cluster) or _Pool() for cluster in clusters}

    def cluster_of(self, model: str) -> str | None:
        """Where a model is served; None: there is no such model."""
        target = self._targets.get(model)
        return None if target is None else target.cluster

    def snapshot(self) -> TrafficSnapshot:
        """What is known of the pools now."""
        down = frozenset(cluster for cluster, up in self.states().items() if not up)
        models = self.live.view()
        return TrafficSnapshot(down, models) if down or models else ALL_UP

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
            pool.failures = 0

    def moved_on(self, model: str, decision: str) -> None:
        """The model did not begin to answer a request of this decision, which has gone to another one."""
        cluster = self.cluster_of(model)
        if cluster is not None:
            self.failed(cluster)
            self.live.answered(AnswerSeen(model, decision, "failed"))

    def failed(self, cluster: str) -> None:
        """The pool did not begin to answer a request."""
        pool = self._pools.get(cluster)
        if pool is None:
            return
        pool.failures += 1
        if pool.failures >= FAILURES_MAX:
            pool.envoy_said_s = self._clock.monotonic_s()

    def states(self) -> dict[str, bool]:
        """Cluster to whether it is up."""
        now_s = self._clock.monotonic_s()
        return {cluster: pool.is_up(now_s) for cluster, pool in self._pools.items()}

    def changes(self) -> dict[str, bool]:
        """The states that are other ones than when this was last asked."""
        changed = {}
        for cluster, up in self.states().items():
            if self._pools[cluster].told_up is not up:
                self._pools[cluster].told_up = changed[cluster] = up
        return changed
