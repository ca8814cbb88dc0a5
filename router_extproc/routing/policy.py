"""The routing policy: which decision takes a request, and which model serves it.

Pure: equal readings and equal traffic give the same route.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, overload

from router_extproc.errors import RouterUnavailable
from router_extproc.routing.accepts import NO_DEMANDS, Demands, able, missing
from router_extproc.routing.actions import LocalAction, Redaction, Unaccepted
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
class LazyTrace(Sequence[RuleTrace]):
    """The traces of the decisions that were looked at, made when somebody asks: requests do not."""

    _decisions: tuple[RoutingDecision, ...]
    _readings: Readings
    #: How many of the decisions were looked at.
    _count: int

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> RuleTrace: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[RuleTrace]: ...

    def __getitem__(self, index: int | slice) -> RuleTrace | Sequence[RuleTrace]:
        looked_at = self._decisions[: self._count]
        if isinstance(index, slice):
            return [decision.trace(self._readings) for decision in looked_at[index]]
        return looked_at[index].trace(self._readings)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes, and why."""

    #: A decision's name, "default" (no rule matched) or "pinned" (the client named a real model).
    decision: str
    target: Target
    #: None leaves the body as it is.
    reasoning: bool | None
    tags: tuple[str, ...] = ()
    trace: Sequence[RuleTrace] = ()
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
    trace: Sequence[RuleTrace] = ()


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
        candidates = (each.target for decision in decisions for each in decision.candidates)
        #: Whether the length of a request matters.
        self.counts_tokens: Final = any(target.context_tokens is not None for target in candidates)

    def decide(
        self,
        readings: Readings,
        traffic: TrafficSnapshot = ALL_UP,
        *,
        unread: Unread = frozenset(),
        demands: Demands = NO_DEMANDS,
    ) -> Route | LocalReply:
        """What the first decision says whose rule holds, or the default route.

        `unread`: signals that could not be read, or not completely. `demands`: what the model must accept.

        Raises:
            RouterUnavailable: before that, a decision that refuses unread requests might have taken it.
        """
        for count, decision in enumerate(self._decisions, 1):
            if unread and decision.might_take(readings, unread):
                raise RouterUnavailable("The gateway could not read this request in time. Try again.")
            if decision.rule.holds(readings):
                trace = LazyTrace(self._decisions, readings, count)
                return self._taken(decision, trace, readings, traffic, demands)
        trace = LazyTrace(self._decisions, readings, len(self._decisions))
        lacking = demands.missing(self._default)
        if lacking:
            return LocalReply(DEFAULT, Unaccepted(lacking), trace=trace)
        return self._with_fallback(Route(DEFAULT, self._default, None, trace=trace), traffic, demands)

    def _taken(
        self,
        decision: RoutingDecision,
        trace: LazyTrace,
        readings: Readings,
        traffic: TrafficSnapshot,
        demands: Demands,
    ) -> Route | LocalReply:
        """What this decision says."""
        name, tags = decision.name, decision.tags
        if decision.action is not None:
            return LocalReply(name, decision.action, tags, trace)
        candidates = able(decision.candidates, demands)
        if not candidates:
            lacking = missing([each.target for each in decision.candidates], demands)
            return LocalReply(name, Unaccepted(lacking), tags, trace)
        target = decision.selection.choose(candidates, readings, traffic).target
        route = Route(name, target, decision.reasoning, tags, trace, redaction=decision.redaction)
        return self._with_fallback(route, traffic, demands)

    def traces(self, readings: Readings) -> Sequence[RuleTrace]:
        """How every rule goes, in the order in which they are asked."""
        return LazyTrace(self._decisions, readings, len(self._decisions))

    def pin(self, target: Target, traffic: TrafficSnapshot = ALL_UP, demands: Demands = NO_DEMANDS) -> Route:
        """The route of a request that names a real model, whether or not it accepts what the request has."""
        return self._with_fallback(Route(PINNED, target, None), traffic, demands)

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

    def _with_fallback(self, route: Route, traffic: TrafficSnapshot, demands: Demands = NO_DEMANDS) -> Route:
        fallback = self.fallbacks.of(route.target, traffic, demands)
        return route if fallback is None else replace(route, fallback=fallback)
