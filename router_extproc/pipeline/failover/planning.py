"""Plans a fail-over: what a request that is forwarded would be for the models that may be asked next."""

from __future__ import annotations

from dataclasses import dataclass

from router_extproc.cache.base import Fingerprint, Partition
from router_extproc.pipeline.asked_usage import usage_edits
from router_extproc.pipeline.caching.question import CacheQuestion
from router_extproc.pipeline.caching.stage import CacheStage
from router_extproc.pipeline.failover.patch import diff, written_bytes
from router_extproc.pipeline.failover.plan import WRITTEN_BYTES_MAX, Alternative, FailoverPlan
from router_extproc.pipeline.parsed_request import ParsedRequest
from router_extproc.pipeline.upstream import edits_of
from router_extproc.routing.accepts import Demands
from router_extproc.routing.catalogue import Target
from router_extproc.routing.failover import Failovers
from router_extproc.routing.route import Route


@dataclass(frozen=True, slots=True)
class Written:
    """A request as it goes to the pool of its route."""

    parsed: ParsedRequest
    route: Route
    #: None: the cache is not asked.
    question: CacheQuestion | None
    #: The body before the edits for the route, and after them.
    before: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class FailoverPlanner:
    """Plans for the models that the configuration names."""

    failovers: Failovers
    #: None: nothing is stored.
    cache_stage: CacheStage | None

    def plan(self, written: Written, demands: Demands) -> FailoverPlan | None:
        """The plan, or None: the request goes to its own pool only."""
        route = written.route
        targets = self.failovers.after(route.decision, route.target, demands)
        alternatives = tuple(self._alternative(written, target) for target in targets)
        written_anew = sum(written_bytes(each.patch) for each in alternatives)
        if not alternatives or written_anew > WRITTEN_BYTES_MAX:
            return None
        first = route.target
        return FailoverPlan(first.model, first.cluster, len(written.body), alternatives)

    def _alternative(self, written: Written, target: Target) -> Alternative:
        parsed, instead = written.parsed, written.route.instead(target)
        dialect = parsed.raw.dialect
        edits = (*edits_of(dialect, parsed.request, instead), *usage_edits(parsed, target))
        body = dialect.edit(written.before, edits)
        patch = diff(written.body, body)
        return Alternative(target.model, target.cluster, patch, *self._keys(written.question, instead))

    def _keys(
        self, question: CacheQuestion | None, route: Route
    ) -> tuple[Fingerprint, Partition] | tuple[()]:
        if self.cache_stage is None or question is None or question.store_plan is None:
            return ()
        return self.cache_stage.keys_under(question, route)
