"""Serves the requests of a scenario by one selection.

Policy, selections, live traffic and the order of fail-over are those that serve real requests. What Envoy and
the observer of answers do around them is done here as they do it (`pipeline.observer`,
`pipeline.failover.retry`): a pool that is asked in vain is only counted where another one is asked next, and
live traffic learns from what reaches the client.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Literal, TypeAlias

from router_extproc.routing.accepts import Demands
from router_extproc.routing.actions import LocalAction
from router_extproc.routing.catalogue import Target
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.failover import Failovers
from router_extproc.routing.outcomes.live import LiveOutcomes
from router_extproc.routing.outcomes.seen import OutcomeBasis, OutcomeSeen
from router_extproc.routing.policy import Policy
from router_extproc.routing.route import LocalReply, Route
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection import fastest
from router_extproc.routing.selection.base import Candidate, SelectionSettings
from router_extproc.routing.selection.expected import QUALITY
from router_extproc.routing.traffic import ANSWERED, NO_ENDPOINT, Traffic
from router_extproc.routing.traffic.answers import AnswerSeen
from router_extproc.routing.traffic.health import Outcome
from router_extproc.routing.traffic.snapshot import Factors
from router_extproc.signals.base import Reading
from router_extproc.simulation.asks import SimulatedAsk
from router_extproc.simulation.clock import SimulatedClock
from router_extproc.simulation.pool import Attempt, SimulatedPool, Trouble
from router_extproc.simulation.scenario import OWN_QUALITIES, Scenario, SimulatedFeedback

DECISION: Final = "simulated"
#: When the scenario does not say how long to wait for the first byte.
FIRST_BYTE_TIMEOUT_S: Final = 10.0
#: Reasons of single requests, which change no preference.
_ASIDE: Final = frozenset({fastest.MEASURE, fastest.LESS_LOADED})
_SIGNAL: Final = QUALITY + OWN_QUALITIES
_OUTCOMES: Final[dict[Trouble, Outcome]] = {
    "refused": "failed",
    "failed": "failed",
    "rate_limited": "limited",
}

#: "lost": the client got an error; "cut_off": its answer had begun when the pool died.
Result: TypeAlias = Literal["answered", "lost", "cut_off"]


@dataclass(slots=True)
class Served:
    """What became of one request."""

    ask: SimulatedAsk
    #: The model that was asked first, and the one that was asked last.
    first: str
    model: str
    forwarded_s: float
    #: The selection preferred another one, but measures this one, or relieves that one.
    is_aside: bool = False
    #: Still to be asked.
    others: list[str] = field(default_factory=list)
    result: Result = "lost"
    #: From the request to the end.
    latency_s: float = 0.0
    cost: float = 0.0


def serve_asks(
    scenario: Scenario, selection: SelectionSettings, asks: Sequence[SimulatedAsk]
) -> list[Served]:
    """What became of each request, in the order in which they came."""
    return _Run(scenario, selection).serve(asks)


class _Run:
    """One selection's."""

    def __init__(self, scenario: Scenario, selection: SelectionSettings) -> None:
        self._scenario: Final = scenario
        self._clock: Final = SimulatedClock()
        failover = scenario.failover
        self._on: Final = frozenset[str]() if failover is False else frozenset(failover.on)
        timeout_s = FIRST_BYTE_TIMEOUT_S
        if failover is not False and failover.first_byte_timeout_s is not None:
            timeout_s = failover.first_byte_timeout_s
        self._pools: Final = {
            name: SimulatedPool(model, self._clock, timeout_s) for name, model in scenario.models.items()
        }
        self._prices: Final = {name: model.cost.price for name, model in scenario.models.items()}
        targets = {name: Target(name, name, name, None) for name in scenario.models}
        self._policy: Final = self._policy_of(selection, targets)
        self._traffic: Final = Traffic(self._clock, targets, self._policy.leavable)
        self._traffic.live.follow(self._policy.choices, Factors())
        self._outcomes: Final = LiveOutcomes(self._clock)
        self._outcomes.follow(self._policy.learning)
        self._served: Final[list[Served]] = []

    def _policy_of(self, selection: SelectionSettings, targets: dict[str, Target]) -> Policy:
        """One decision that takes everything, its candidates in the order of the scenario."""
        candidates = tuple(
            Candidate(target, self._scenario.models[name].weight, self._prices[name])
            for name, target in targets.items()
        )
        decision = RoutingDecision(DECISION, 0, ALWAYS, candidates, None, selection=selection.open())
        decision = replace(decision, learning=selection.learning(targets))
        failover = self._scenario.failover
        if failover is False:
            return Policy([decision], default=candidates[0].target)
        orders = {
            (DECISION, name): tuple(other for other in targets.values() if other.model != name)
            for name in targets
        }
        failovers = Failovers(orders, failover.attempts_max)
        return Policy([decision], default=candidates[0].target, failovers=failovers)

    def serve(self, asks: Sequence[SimulatedAsk]) -> list[Served]:
        """Let everything happen."""
        for event in self._scenario.happenings:
            self._clock.at(event.at_s, partial(self._pools[event.model].happen, event))
        # Between the round moments at which events are.
        self._clock.at(self._scenario.probe_every_s / 2, self._probe)
        for ask in asks:
            self._clock.at(ask.at_s, partial(self._forward, ask))
        self._clock.run()
        return self._served

    def _probe(self) -> None:
        """As `process.pool_probe` does."""
        for name, pool in self._pools.items():
            self._traffic.probed(name, up=pool.is_alive)
        if self._clock.monotonic_s() < self._scenario.duration_s:
            self._clock.after(self._scenario.probe_every_s, self._probe)

    def _forward(self, ask: SimulatedAsk) -> None:
        readings = {_SIGNAL: Reading(_SIGNAL, None, 0.0, ask.expected)}
        demands = Demands(tokens=ask.prompt_tokens)
        decided = self._policy.decide(
            readings,
            self._traffic.snapshot(),
            demands=demands,
            conversation=ask.conversation,
            outcomes=self._outcomes,
        )
        route = _route(decided).to_fallback()
        others = self._policy.failovers.after(route.decision, route.target, demands)
        first, wall_s = route.target.model, self._clock.wall_s()
        self._traffic.live.forwarded(first, wall_s)
        is_aside = route.choice is not None and route.choice.reason in _ASIDE
        served = Served(ask, first, first, wall_s, is_aside, [other.model for other in others])
        self._served.append(served)
        self._send(served)

    def _send(self, served: Served) -> None:
        attempt = Attempt(
            served.ask,
            self._clock.monotonic_s(),
            partial(self._traffic.heard, served.model, ANSWERED),
            partial(self._answered, served),
            partial(self._failed, served),
            partial(self._cut_off, served),
        )
        self._pools[served.model].take(attempt)

    def _failed(self, served: Served, attempt: Attempt, trouble: Trouble) -> None:
        """The pool did not begin to answer: the next one is asked, or the client gets the error."""
        if trouble in self._on and served.others:
            self._traffic.moved_on(served.model, DECISION)
            served.model = served.others.pop(0)
            self._send(served)
            return
        if trouble == "refused":
            self._traffic.heard(served.model, NO_ENDPOINT)
        elif not attempt.timed_out:
            self._traffic.heard(served.model, ANSWERED)
        self._end(served, attempt, "lost", _OUTCOMES[trouble])

    def _cut_off(self, served: Served, attempt: Attempt) -> None:
        self._end(served, attempt, "cut_off", "failed")

    def _answered(self, served: Served, attempt: Attempt) -> None:
        ask = served.ask
        served.cost = self._prices[served.model].of_tokens(ask.prompt_tokens, ask.answer_tokens)
        self._end(served, attempt, "answered", "ok")
        outcome = outcome_of(served, self._scenario.feedback, self._clock.wall_s())
        if outcome is not None:
            self._outcomes.hear(outcome)

    def _end(self, served: Served, attempt: Attempt, result: Result, outcome: Outcome) -> None:
        now_s, ask = self._clock.monotonic_s(), served.ask
        served.result, served.latency_s = result, now_s - ask.at_s
        self._traffic.live.ended(served.first, served.forwarded_s)
        self._traffic.live.answered(
            AnswerSeen(
                served.model,
                DECISION,
                outcome,
                timed_out=attempt.timed_out,
                ttft_s=None if attempt.begun_s is None else attempt.begun_s - attempt.sent_s,
                duration_s=now_s - attempt.sent_s if outcome == "ok" else None,
                prompt_tokens=ask.prompt_tokens,
                answer_tokens=ask.answer_tokens if outcome == "ok" else 0,
                retry_after_s=attempt.retry_after_s,
            )
        )


def outcome_of(served: Served, feedback: SimulatedFeedback, at_s: float) -> OutcomeSeen | None:
    """What is heard of an answer; None: nothing. The same for every selection that asks the same model."""
    ask, model = served.ask, served.model
    chance = random.Random(ask.conversation)  # noqa: S311 - a draw that can be repeated, no secret
    client, told = chance.randrange(feedback.clients), chance.random() < feedback.share
    is_true, good = chance.random() < feedback.honesty, chance.random() < ask.qualities[model]
    if not told or served.model != served.first:
        return None
    basis = OutcomeBasis(f"{client}", ask.conversation.hex(), ask.expected[model])
    return OutcomeSeen(DECISION, model, "heard", good == is_true, basis, at_s)


def _route(decided: Route | LocalReply) -> Route:
    """No model of a scenario refuses a request."""
    if isinstance(decided, LocalReply):
        action: LocalAction = decided.action
        raise TypeError(f"a simulated request got {type(action).__name__}")
    return decided
