"""The routing policy: which decision takes a request, and which model serves it.

Pure: equal readings and equal traffic give the same route.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, overload

from router_extproc.errors import RouterUnavailable
from router_extproc.llm.changes import RequestChanges
from router_extproc.routing.accepts import NO_DEMANDS, Demands, able, missing, too_long
from router_extproc.routing.actions import LocalAction, Redaction, Unaccepted
from router_extproc.routing.catalogue import Target
from router_extproc.routing.failover import NO_FAILOVERS, Failovers
from router_extproc.routing.fallback import NO_FALLBACKS, Fallbacks
from router_extproc.routing.rules import Readings, Rule, Unread
from router_extproc.routing.selection.base import Candidate, Choice, Circumstances, Selection
from router_extproc.routing.selection.fixed import FIRST
from router_extproc.routing.session import Session
from router_extproc.routing.session_moves import keep_session
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

    #: A decision's name, "default" (no rule matched) or "pinned" (the client named a real model, and no
    #: decision that takes such requests matched).
    decision: str
    target: Target
    #: None: the request reaches the pool as the client wrote it, but for the model's name.
    changes: RequestChanges | None
    tags: tuple[str, ...] = ()
    trace: Sequence[RuleTrace] = ()
    #: Answers in the target's place, whose pool is down; None: the target itself is asked.
    fallback: Target | None = None
    #: The model in whose place `target` answers; None: in its own.
    fallback_of: str | None = None
    #: What is replaced in the request and masked in its answer; None: nothing.
    redaction: Redaction | None = None
    #: Had every signal been read, the router might have refused, answered or redacted the request.
    may_act: bool = False
    #: How the target was chosen among the candidates; None: there was nothing to choose.
    choice: Choice | None = None

    def to_fallback(self) -> Route:
        """The same route with the fallback as its target; the route itself where there is none."""
        if self.fallback is None:
            return self
        return self.instead(self.fallback)

    def instead(self, target: Target) -> Route:
        """The same route with another model in the place of its own."""
        meant = self.fallback_of or self.target.model
        fallback_of = None if target.model == meant else meant
        return replace(self, target=target, fallback=None, fallback_of=fallback_of)


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
    #: None: it changes nothing but the model's name.
    changes: RequestChanges | None
    tags: tuple[str, ...] = ()
    selection: Selection = FIRST
    #: What this decision might take when a signal of its rule could not be read is refused.
    refuses_unread: bool = False
    #: None: a candidate answers.
    action: LocalAction | None = None
    #: It also takes requests that name a real model, which they keep.
    takes_pinned: bool = False
    #: None: nothing is replaced.
    redaction: Redaction | None = None

    @property
    def signals(self) -> frozenset[str]:
        """The names of the signals that the rule or the selection looks at."""
        return self.selection.signals.union(test.signal for test in self.rule.tests())

    def choose(self, taking: Sequence[Candidate], known: Circumstances) -> Choice:
        """One of the candidates that take the request; a session keeps its own where that is better."""
        choice = self.selection.choose(taking, known)
        if len(self.candidates) == 1:
            return choice
        return keep_session(choice, taking, known, by_need=self.selection.by_need)

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
        failovers: Failovers = NO_FAILOVERS,
    ) -> None:
        self._decisions: Final = tuple(sorted(decisions, key=lambda decision: -decision.priority))
        #: For requests that no decision takes.
        self.default: Final = default
        self._by_name: Final = {decision.name: decision for decision in decisions}
        self.fallbacks: Final = fallbacks
        self.failovers: Final = failovers
        #: The models in whose place another one may answer.
        self.leavable: Final = tuple(dict.fromkeys((*fallbacks.models, *failovers.firsts)))
        #: The names of the signals that some decision looks at; no other reading changes a route.
        self.signals: Final = frozenset[str]().union(*(decision.signals for decision in decisions))
        self._pinning: Final = tuple(each for each in self._decisions if each.takes_pinned)
        #: Names of the decisions that take requests for a real model, too.
        self.pinning: Final = tuple(decision.name for decision in self._pinning)
        #: What those look at; a selection is not asked, for the model is chosen.
        self.pinned_signals: Final = frozenset(
            test.signal for decision in self._pinning for test in decision.rule.tests()
        )
        candidates = {each.target for decision in decisions for each in decision.candidates}
        #: Candidates for which the length of a request matters.
        self.bounded: Final = tuple(each for each in candidates if each.context_tokens is not None)
        #: Models of decisions that have several.
        self.choices: Final = tuple(
            dict.fromkeys(
                each.target.model
                for decision in decisions
                for each in (decision.candidates if len(decision.candidates) > 1 else ())
            )
        )
        #: Whether it matters for any.
        self.counts_tokens: Final = bool(self.bounded) or any(
            decision.selection.counts_tokens for decision in decisions
        )

    def decide(
        self,
        readings: Readings,
        traffic: TrafficSnapshot = ALL_UP,
        *,
        unread: Unread = frozenset(),
        demands: Demands = NO_DEMANDS,
        conversation: bytes = b"",
        session: Session | None = None,
    ) -> Route | LocalReply:
        """What the first decision says whose rule holds, or the default route.

        `unread`: signals that could not be read, or not completely. `demands`: what the model must accept.
        `conversation`, `session`: see Circumstances.

        Raises:
            RouterUnavailable: before that, a decision that refuses unread requests might have taken it.
        """
        decision, trace = _first(self._decisions, readings, unread)
        may_act = _may_act(self._decisions, decision, readings, unread)
        if decision is not None:
            known = Circumstances(readings, traffic, demands.tokens, conversation, session)
            reply = self._taken(decision, trace, known, demands)
            return replace(reply, may_act=may_act) if isinstance(reply, Route) else reply
        lacking = demands.missing(self.default)
        if lacking:
            return LocalReply(DEFAULT, Unaccepted(lacking), trace=trace)
        route = Route(DEFAULT, self.default, None, trace=trace, may_act=may_act)
        return self._with_fallback(route, traffic, demands)

    def _taken(
        self,
        decision: RoutingDecision,
        trace: LazyTrace,
        known: Circumstances,
        demands: Demands,
    ) -> Route | LocalReply:
        """What this decision says."""
        name, tags = decision.name, decision.tags
        if decision.action is not None:
            return LocalReply(name, decision.action, tags, trace)
        candidates = able(decision.candidates, demands)
        if not candidates:
            targets = [each.target for each in decision.candidates]
            refusal = too_long(targets, demands) or Unaccepted(missing(targets, demands))
            return LocalReply(name, refusal, tags, trace)
        taking = _taking(candidates, known.traffic)
        choice = decision.choose(taking, known)
        # What is answered in the place of a paused model is for nobody once that is back.
        meant = choice if len(taking) == len(candidates) else decision.choose(candidates, known)
        target = meant.candidate.target
        route = Route(
            name, target, decision.changes, tags, trace, redaction=decision.redaction, choice=choice
        )
        route = route.instead(choice.candidate.target)
        return self._with_fallback(route, known.traffic, demands)

    def decide_pinned(
        self,
        target: Target,
        readings: Readings,
        traffic: TrafficSnapshot = ALL_UP,
        *,
        unread: Unread = frozenset(),
        demands: Demands = NO_DEMANDS,
        named: bool = True,
    ) -> Route | LocalReply:
        """The same for a request that names a real model: it keeps it, whether or not that accepts it.

        Only decisions that take such requests are asked; `readings`: of `pinned_signals`. named: False: it
        names none, but no other model than `target` may answer.

        Raises:
            RouterUnavailable: see `decide`.
        """
        decision, trace = _first(self._pinning, readings, unread)
        may_act = _may_act(self._pinning, decision, readings, unread)
        if decision is None:
            name = PINNED if named else DEFAULT
            route = Route(name, target, None, trace=trace, may_act=may_act)
            return self._with_fallback(route, traffic, demands)
        if decision.action is not None:
            return LocalReply(decision.name, decision.action, decision.tags, trace)
        route = Route(
            decision.name, target, decision.changes, decision.tags, trace, redaction=decision.redaction
        )
        return self._with_fallback(replace(route, may_act=may_act), traffic, demands)

    def by_name(self, target: Target | None, traffic: TrafficSnapshot = ALL_UP) -> Route:
        """The route of a request of which nothing is known but the model that it names; None: it names none.

        No decision is asked, and the default model takes what names none.
        """
        route = Route(DEFAULT, self.default, None) if target is None else Route(PINNED, target, None)
        return self._with_fallback(route, traffic)

    def traces(self, readings: Readings, *, pinned: bool = False) -> Sequence[RuleTrace]:
        """How every rule goes, in the order in which they are asked.

        pinned: of those that are asked of a request that names a model.
        """
        asked = self._pinning if pinned else self._decisions
        return LazyTrace(asked, readings, len(asked))

    def candidates_of(self, decision: str) -> tuple[Candidate, ...]:
        """The models of a decision, in their order; none of "default" and "pinned", which have one each."""
        known = self._by_name.get(decision)
        return () if known is None else known.candidates

    def may_send(self, decision: str, target: Target, *, pinned: bool = False) -> bool:
        """Whether requests of this decision are answered by the target, its fallback left aside.

        pinned: they name it.
        """
        if decision in {DEFAULT, PINNED}:
            return (decision == PINNED) == pinned and (pinned or target == self.default)
        known = self._by_name.get(decision)
        if known is None or known.action is not None:
            return False
        return known.takes_pinned if pinned else any(each.target == target for each in known.candidates)

    def changes_of(self, decision: str) -> RequestChanges | None:
        """What the decision changes in a request; None: nothing but the model's name."""
        known = self._by_name.get(decision)
        return None if known is None else known.changes

    def _with_fallback(self, route: Route, traffic: TrafficSnapshot, demands: Demands = NO_DEMANDS) -> Route:
        fallback = self.fallbacks.of(route.target, traffic, demands)
        if fallback is None and traffic.is_down(route.target.cluster):
            fallback = self.failovers.up(route.decision, route.target, traffic, demands)
        return route if fallback is None else replace(route, fallback=fallback)


def _taking(candidates: Sequence[Candidate], traffic: TrafficSnapshot) -> Sequence[Candidate]:
    """The candidates that take this request; all of them where none does: one may as well be tried."""
    if not traffic.models:
        return candidates
    return [each for each in candidates if traffic.of(each.target.model).available] or candidates


def _first(
    decisions: tuple[RoutingDecision, ...], readings: Readings, unread: Unread
) -> tuple[RoutingDecision | None, LazyTrace]:
    """The first decision whose rule holds, and how it went with each that was asked."""
    for count, decision in enumerate(decisions, 1):
        if unread and decision.might_take(readings, unread):
            raise RouterUnavailable("The gateway could not read this request in time. Try again.")
        if decision.rule.holds(readings):
            return decision, LazyTrace(decisions, readings, count)
    return None, LazyTrace(decisions, readings, len(decisions))


def _may_act(
    decisions: tuple[RoutingDecision, ...], taken: RoutingDecision | None, readings: Readings, unread: Unread
) -> bool:
    """Whether another decision, which answers, refuses or redacts, might have taken the request."""
    for decision in decisions if unread else ():
        holds = decision.rule.holds_without(readings, unread)
        acts = decision.action is not None or decision.redaction is not None
        if holds is not False and acts and decision is not taken:
            return True
        if holds:
            break
    return False
