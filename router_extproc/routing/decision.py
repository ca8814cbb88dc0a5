"""A configured decision, and which of several takes a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

from router_extproc.errors import RouterUnavailable
from router_extproc.llm.changes import RequestChanges
from router_extproc.routing.actions import LocalAction, Redaction
from router_extproc.routing.outcomes.seen import Learning
from router_extproc.routing.route import RuleTrace
from router_extproc.routing.rules import Readings, Rule, Unread
from router_extproc.routing.selection.base import Candidate, Choice, Circumstances, Selection
from router_extproc.routing.selection.fixed import FIRST
from router_extproc.routing.session_moves import keep_session


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
    #: How its selection learns from outcomes; None: it does not.
    learning: Learning | None = None

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


def first_taking(
    decisions: tuple[RoutingDecision, ...], readings: Readings, unread: Unread
) -> tuple[RoutingDecision | None, LazyTrace]:
    """The first decision whose rule holds, and how it went with each that was asked.

    Raises:
        RouterUnavailable: before that, one that refuses unread requests might have taken it.
    """
    for count, decision in enumerate(decisions, 1):
        if unread and decision.might_take(readings, unread):
            raise RouterUnavailable("The gateway could not read this request in time. Try again.")
        if decision.rule.holds(readings):
            return decision, LazyTrace(decisions, readings, count)
    return None, LazyTrace(decisions, readings, len(decisions))


def may_act(
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
