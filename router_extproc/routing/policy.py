"""The routing policy: which decision takes a request, and which model serves it.

Pure: equal readings and equal traffic give the same route.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from router_extproc.errors import RouterUnavailable
from router_extproc.routing.actions import LocalAction, Redaction
from router_extproc.routing.catalogue import Target
from router_extproc.routing.fallback import NO_FALLBACKS, Fallbacks
from router_extproc.routing.rules import Readings, Rule, Unread
from router_extproc.routing.selection.base import Candidate, Selection
from router_extproc.routing.selection.fixed import FIRST
from router_extproc.routing.traffic import ALL_UP, TrafficSnapshot

#: What a route is called that no decision took: no rule matched, or the client named a real model.
DEFAULT: Final = "default"
PINNED: Final = "pinned"


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
    tags: tuple[str, ...] = ()
    trace: tuple[RuleTrace, ...] = ()
    #: Answers in the target's place, whose pool is down; None: the target itself is asked.
    fallback: Target | None = None
    #: The model in whose place `target` answers; None: in its own.
    fallback_of: str | None = None
    #: What is replaced in the request and masked in its answer; None: nothing.
    redaction: Redaction | None = None

    def to_fallback(self) -> Route:
        """The same route with the fallback as its target; the route itself where there is none."""
        if self.fallback is None:
            return self
        return replace(self, target=self.fallback, fallback=None, fallback_of=self.target.model)


@dataclass(frozen=True, slots=True)
class LocalReply:
    """What a request gets that no pool is asked for, and why."""

    #: The decision's name.
    decision: str
    action: LocalAction
    tags: tuple[str, ...] = ()
    trace: tuple[RuleTrace, ...] = ()


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """A configured decision: if the rule holds, one of the candidates serves the request, or the router."""

    name: str
    priority: int
    rule: Rule
    #: At least one, unless the action is local.
    candidates: tuple[Candidate, ...]
    reasoning: bool | None
    tags: tuple[str, ...] = ()
    selection: Selection = FIRST
    #: What this decision might take when a signal of its rule could not be read is refused.
    refuses_unread: bool = False
    #: None: a candidate answers.
    action: LocalAction | None = None
    #: None: nothing is replaced.
    redaction: Redaction | None = None

    @property
    def signals(self) -> frozenset[str]:
        """The names of the signals that the rule or the selection looks at."""
        return self.selection.signals.union(test.signal for test in self.rule.tests())

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
        self,
        decisions: Sequence[RoutingDecision],
        *,
        default: Target,
        fallbacks: Fallbacks = NO_FALLBACKS,
    ) -> None:
        """`default`: for requests that no decision takes."""
        self._decisions: Final = tuple(sorted(decisions, key=lambda decision: -decision.priority))
        self._default: Final = default
        self._by_name: Final = {decision.name: decision for decision in decisions}
        self.fallbacks: Final = fallbacks
        #: The names of the signals that some decision looks at; no other reading changes a route.
        self.signals: Final = frozenset[str]().union(*(decision.signals for decision in decisions))

    def decide(
        self, readings: Readings, traffic: TrafficSnapshot = ALL_UP, *, unread: Unread = frozenset()
    ) -> Route | LocalReply:
        """What the first decision says whose rule holds, or the default route.

        `unread`: signals that could not be read, or not completely.

        Raises:
            RouterUnavailable: before that, a decision that refuses unread requests might have taken it.
        """
        trace: list[RuleTrace] = []
        for decision in self._decisions:
            if unread and decision.might_take(readings, unread):
                raise RouterUnavailable("The gateway could not read this request in time. Try again.")
            trace.append(decision.trace(readings))
            if trace[-1].matched:
                if decision.action is not None:
                    return LocalReply(decision.name, decision.action, decision.tags, tuple(trace))
                target = decision.selection.choose(decision.candidates, readings, traffic).target
                route = Route(decision.name, target, decision.reasoning, decision.tags, tuple(trace))
                return self._with_fallback(replace(route, redaction=decision.redaction), traffic)
        return self._with_fallback(Route(DEFAULT, self._default, None, trace=tuple(trace)), traffic)

    def traces(self, readings: Readings) -> tuple[RuleTrace, ...]:
        """How every rule goes, in the order in which they are asked, also behind the one that is taken."""
        return tuple(decision.trace(readings) for decision in self._decisions)

    def pin(self, target: Target, traffic: TrafficSnapshot = ALL_UP) -> Route:
        """The route of a request that names a real model."""
        return self._with_fallback(Route(PINNED, target, None), traffic)

    def may_send(self, decision: str, target: Target) -> bool:
        """Whether requests of this decision are answered by the target, its fallback left aside."""
        if decision in {DEFAULT, PINNED}:
            return decision == PINNED or target == self._default
        known = self._by_name.get(decision)
        return known is not None and any(each.target == target for each in known.candidates)

    def reasoning_of(self, decision: str) -> bool | None:
        """What the decision says of reasoning; None: it leaves the body as it is."""
        known = self._by_name.get(decision)
        return None if known is None else known.reasoning

    def _with_fallback(self, route: Route, traffic: TrafficSnapshot) -> Route:
        fallback = self.fallbacks.of(route.target, traffic)
        return route if fallback is None else replace(route, fallback=fallback)
