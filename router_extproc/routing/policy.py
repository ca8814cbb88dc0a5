"""The routing policy: which decision takes a request, and which model serves it.

Pure: equal readings and equal traffic give the same route.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from router_extproc.llm.changes import RequestChanges
from router_extproc.routing.accepts import NO_DEMANDS, Demands, able, missing, too_long
from router_extproc.routing.actions import Unaccepted
from router_extproc.routing.catalogue import Target
from router_extproc.routing.decision import LazyTrace, RoutingDecision, first_taking, may_act
from router_extproc.routing.failover import NO_FAILOVERS, Failovers
from router_extproc.routing.fallback import NO_FALLBACKS, Fallbacks
from router_extproc.routing.outcomes.live import LiveOutcomes
from router_extproc.routing.outcomes.seen import NO_OUTCOMES
from router_extproc.routing.route import DEFAULT, PINNED, LocalReply, Route, RuleTrace
from router_extproc.routing.rules import Readings, Unread
from router_extproc.routing.selection.base import Candidate, Circumstances
from router_extproc.routing.session import Session
from router_extproc.routing.traffic import ALL_UP, TrafficSnapshot


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
        #: By name: the decisions that learn from outcomes.
        self.learning: Final = {each.name: each.learning for each in decisions if each.learning is not None}
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
        outcomes: LiveOutcomes | None = None,
    ) -> Route | LocalReply:
        """What the first decision says whose rule holds, or the default route.

        `unread`: signals that could not be read, or not completely. `demands`: what the model must accept.
        `conversation`, `session`, `outcomes`: see Circumstances.

        Raises:
            RouterUnavailable: before that, a decision that refuses unread requests might have taken it.
        """
        decision, trace = first_taking(self._decisions, readings, unread)
        acts = may_act(self._decisions, decision, readings, unread)
        if decision is not None:
            seen = (
                NO_OUTCOMES if outcomes is None or decision.learning is None else outcomes.of(decision.name)
            )
            known = Circumstances(readings, traffic, demands.tokens, conversation, session, seen)
            reply = self._taken(decision, trace, known, demands)
            return replace(reply, may_act=acts) if isinstance(reply, Route) else reply
        lacking = demands.missing(self.default)
        if lacking:
            return LocalReply(DEFAULT, Unaccepted(lacking), trace=trace)
        route = Route(DEFAULT, self.default, None, trace=trace, may_act=acts)
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
        decision, trace = first_taking(self._pinning, readings, unread)
        acts = may_act(self._pinning, decision, readings, unread)
        if decision is None:
            name = PINNED if named else DEFAULT
            route = Route(name, target, None, trace=trace, may_act=acts)
            return self._with_fallback(route, traffic, demands)
        if decision.action is not None:
            return LocalReply(decision.name, decision.action, decision.tags, trace)
        route = Route(
            decision.name, target, decision.changes, decision.tags, trace, redaction=decision.redaction
        )
        return self._with_fallback(replace(route, may_act=acts), traffic, demands)

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
