"""The policy: which decision applies to a request, and which model serves it.

It is not the cache's policy and measures nothing. The rule it keeps: the same readings always give
the same route, and a route's trace names every decision that was looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from router_extproc.cache.decision_policy import CachePolicy
from router_extproc.errors import RouterUnavailable
from router_extproc.routing.rules import Readings, Rule, Unread


@dataclass(frozen=True, slots=True)
class Target:
    """One model and where it is served."""

    #: The key in `models`.
    model: str
    cluster: str
    #: What the body's "model" becomes.
    served_name: str
    reasoning_family: str | None
    input_per_mtok: float = 0.0
    output_per_mtok: float = 0.0


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One decision that was looked at, for `explain`."""

    decision: str
    matched: bool
    #: Each test of its rule as written, and whether it held.
    tests: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes, and why."""

    #: A decision's name, "default" (no rule matched) or "pinned" (the client named a real model).
    decision: str
    target: Target
    #: None leaves the body as it is.
    reasoning: bool | None
    cache: CachePolicy
    tags: tuple[str, ...] = ()
    trace: tuple[RuleTrace, ...] = ()
    #: The model whose pool is down and in whose place `target` answers; None: nobody's.
    fallback_of: str | None = None


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """A configured decision: if the rule holds, use the target."""

    name: str
    priority: int
    rule: Rule
    target: Target
    reasoning: bool | None
    cache: CachePolicy
    tags: tuple[str, ...] = ()
    #: What this decision might take when a signal of its rule could not be read is refused.
    refuses_unread: bool = False

    def might_take(self, readings: Readings, unread: Unread) -> bool:
        """True when it depends on a signal that could not be read."""
        return self.refuses_unread and self.rule.holds_without(readings, unread) is None

    def trace(self, readings: Readings) -> RuleTrace:
        """How the rule went, test by test."""
        tests = {str(test): test.holds(readings) for test in self.rule.tests()}
        return RuleTrace(self.name, self.rule.holds(readings), tests)


class Policy:
    """All decisions, the highest priority first; among equals the first written wins."""

    def __init__(
        self, decisions: Sequence[RoutingDecision], *, default: Target, default_cache: CachePolicy
    ) -> None:
        self._decisions = tuple(sorted(decisions, key=lambda decision: -decision.priority))
        self._default = default
        self._default_cache = default_cache
        self._caches = {decision.name: decision.cache for decision in decisions}

    def decide(self, readings: Readings, unread: Unread = frozenset()) -> Route:
        """The route of the first decision whose rule holds, or the default route.

        Raises:
            RouterUnavailable: before that, a decision that refuses unread requests might have taken it.
        """
        trace: list[RuleTrace] = []
        for decision in self._decisions:
            if unread and decision.might_take(readings, unread):
                raise RouterUnavailable("The gateway could not read this request in time. Try again.")
            trace.append(decision.trace(readings))
            if trace[-1].matched:
                return Route(
                    decision.name,
                    decision.target,
                    decision.reasoning,
                    decision.cache,
                    decision.tags,
                    tuple(trace),
                )
        return Route("default", self._default, None, self._default_cache, trace=tuple(trace))

    def pin(self, target: Target) -> Route:
        """The route of a request that names a real model."""
        return Route("pinned", target, None, self._default_cache)

    def cache_policy(self, decision: str) -> CachePolicy | None:
        """What the cache may do for a decision named in a stored entry; None: it is gone."""
        if decision in ("default", "pinned"):
            return self._default_cache
        return self._caches.get(decision)
