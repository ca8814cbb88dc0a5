"""Chooses the model of a simulated request as the pipeline does, or in another way to compare it with."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.config.decisions import SelectionSection
from router_extproc.llm.answer import Usage
from router_extproc.pipeline.conversations import NO_NAMES
from router_extproc.pipeline.remembered_sessions import RememberedSessions
from router_extproc.pipeline.sessions import SessionKeeper
from router_extproc.routing.accepts import Demands
from router_extproc.routing.catalogue import Target
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.policy import Policy
from router_extproc.routing.route import Route
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection.base import Candidate
from router_extproc.routing.selection.expected import QUALITY
from router_extproc.routing.traffic import Traffic
from router_extproc.routing.traffic.answers import AnswerSeen
from router_extproc.routing.traffic.snapshot import Factors
from router_extproc.signals.base import Reading
from router_extproc.simulation.agents.conversation import Conversation
from router_extproc.simulation.agents.draw import AgentAsk, draw_kind
from router_extproc.simulation.clock import SimulatedClock
from router_extproc.simulation.run import DECISION
from router_extproc.simulation.scenario import OWN_QUALITIES, Scenario

IDLE_S: Final = 900.0
_SIGNAL: Final = QUALITY + OWN_QUALITIES


@dataclass(frozen=True, slots=True)
class Way:
    """A way to choose the model of each request."""

    name: str
    #: None: one model does everything.
    selection: SelectionSection | None
    model: str = ""
    #: Sessions stay on their models.
    keeps_sessions: bool = False
    #: Each request is read by its newest message: in a tool loop by what a tool said, as if it was an ask.
    reads_newest: bool = False


def ways_of(scenario: Scenario) -> tuple[Way, ...]:
    """Each model by itself; each selection by request, by ask, and with sessions."""
    alone = tuple(Way(f"always {name}", None, name) for name in scenario.models)
    ways: list[Way] = []
    for name, selection in scenario.selections.items():
        ways += [
            Way(f"{name}, each request", selection, reads_newest=True),
            Way(f"{name}, each ask", selection),
            Way(f"{name}, sessions", selection, keeps_sessions=True),
        ]
    return (*alone, *ways)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model of one request."""

    model: str
    reason: str


class AgentRouter:
    """One way, over all sessions of a repeat."""

    def __init__(self, scenario: Scenario, way: Way, clock: SimulatedClock, seed: int) -> None:
        self._scenario: Final = scenario
        self._way: Final = way
        self._clock: Final = clock
        self._source: Final = random.Random(seed)  # noqa: S311 - a draw that can be repeated, no secret
        self._remembered: Final = RememberedSessions() if way.keeps_sessions else None
        self._sessions: Final = SessionKeeper(self._remembered, NO_NAMES, IDLE_S)
        self._key = ""
        self._policy: Final = _policy_of(scenario, way)
        self._traffic: Final = Traffic(clock, _targets(scenario), ())
        self._traffic.live.follow(scenario.models, Factors())
        self.choose: Final[Callable[[AgentAsk, Conversation], Chosen]] = (
            self._decide if way.selection is not None else lambda _, __: Chosen(way.model, "")
        )

    def _decide(self, ask: AgentAsk, conversation: Conversation) -> Chosen:
        """As `pipeline.request` does."""
        parsed = conversation.read(self._clock)
        going = self._sessions.find(parsed)
        demands = Demands(tokens=conversation.tokens)
        readings = {_SIGNAL: Reading(_SIGNAL, None, 0.0, self._expected(ask, conversation))}
        taken = self._policy.decide(
            readings,
            self._traffic.snapshot(),
            demands=demands,
            conversation=going.conversation,
            session=going.session,
        )
        self._sessions.note(going, taken, demands.tokens)
        self._key = going.seen.key if going.seen is not None else ""
        return _chosen(taken)

    def _expected(self, ask: AgentAsk, conversation: Conversation) -> Mapping[str, float]:
        """What is expected of each model."""
        kind = ask.read_as
        if self._way.reads_newest and conversation.in_loop:
            kind = draw_kind(self._scenario, self._source)
        return {name: model.quality_of(kind) for name, model in self._scenario.models.items()}

    def answered(self, model: str, usage: Usage, took_s: float) -> None:
        """Live traffic learns of each answer, and so does what is remembered of the session."""
        if self._remembered is not None:
            self._remembered.answered(self._key, model, usage, self._clock.wall_s())
        ttft_s = self._scenario.models[model].ttft_s
        self._traffic.live.answered(
            AnswerSeen(
                model, DECISION, "ok", ttft_s=ttft_s, duration_s=took_s,
                prompt_tokens=usage.prompt_tokens, answer_tokens=usage.completion_tokens,
            )
        )  # fmt: skip


def _chosen(taken: object) -> Chosen:
    if not isinstance(taken, Route) or taken.choice is None:
        raise TypeError("a simulated request has no choice")
    return Chosen(taken.choice.candidate.target.model, taken.choice.reason)


def _targets(scenario: Scenario) -> dict[str, Target]:
    return {name: Target(name, name, name, None) for name in scenario.models}


def _policy_of(scenario: Scenario, way: Way) -> Policy:
    """One decision that takes everything."""
    candidates = tuple(
        Candidate(target, price=scenario.models[name].cost.price)
        for name, target in _targets(scenario).items()
    )
    default = candidates[0].target
    if way.selection is None:
        return Policy([], default=default)
    decision = RoutingDecision(DECISION, 0, ALWAYS, candidates, None, selection=way.selection.open())
    return Policy([decision], default=default)
