"""Lives a simulated session through: the agent calls tools and answers; what is wrong is asked again."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import Final

from router_extproc.llm.answer import Usage
from router_extproc.simulation.agents.conversation import FAILS, FINE, Conversation
from router_extproc.simulation.agents.draw import AgentAsk, AgentSession, Try
from router_extproc.simulation.agents.prefixes import Prefixes
from router_extproc.simulation.agents.router import AgentRouter, Way
from router_extproc.simulation.agents.section import SimulatedSessions
from router_extproc.simulation.clock import SimulatedClock
from router_extproc.simulation.scenario import Scenario

#: Of a call that stalls, all of which are alike.
_SAME: Final = "make test"


@dataclass(slots=True)
class Tally:
    """What one way to choose models came to, over the sessions of a repeat."""

    sessions: int = 0
    asks: int = 0
    #: In the end, and by the first answer.
    solved: int = 0
    solved_at_once: int = 0
    #: How often a human had to ask again.
    asked_again: int = 0
    requests: int = 0
    cost: float = 0.0
    #: Requests that went to another model than the one before in their session, and those of them in the
    #: middle of a tool loop.
    switches: int = 0
    unsafe_switches: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    #: Requests by model.
    models: dict[str, int] = field(default_factory=dict)

    def count(self, model: str, usage: Usage, cost: float) -> None:
        """One more request."""
        self.requests += 1
        self.cost += cost
        self.prompt_tokens += usage.prompt_tokens
        self.cached_tokens += usage.cached_tokens
        self.models[model] = self.models.get(model, 0) + 1


def live_through(
    sessions: list[AgentSession], scenario: Scenario, agents: SimulatedSessions, way: Way
) -> Tally:
    """What this way comes to over these sessions, one after the other."""
    clock, tally = SimulatedClock(), Tally()
    router = AgentRouter(scenario, way, clock, sessions[0].seed if sessions else 0)
    for session in sessions:
        _Life(scenario, agents, clock, router, tally).live(session)
    return tally


class _Life:
    """One session."""

    def __init__(
        self,
        scenario: Scenario,
        agents: SimulatedSessions,
        clock: SimulatedClock,
        router: AgentRouter,
        tally: Tally,
    ) -> None:
        self._scenario: Final = scenario
        self._agents: Final = agents
        self._clock: Final = clock
        self._router: Final = router
        self._tally: Final = tally
        self._conversation: Final = Conversation(agents.system_tokens)
        self._prefixes: Final = Prefixes(agents.prefix_s)
        self._model = ""

    def live(self, session: AgentSession) -> None:
        """All that its human asks."""
        self._tally.sessions += 1
        for ask in session.asks:
            self._tally.asks += 1
            self._work_on(ask)

    def _work_on(self, ask: AgentAsk) -> None:
        """Until it is solved, or taken to be, or the human gives up."""
        text, failed = ask.text, False
        for number, once in enumerate(ask.tries):
            self._conversation.ask(text, self._agents.ask_tokens)
            outcome = self._try(ask, once, failed_before=failed)
            self._clock.advance(once.pause_s)
            if outcome == "solved":
                self._tally.solved += 1
                self._tally.solved_at_once += not number
            if outcome in {"solved", "unnoticed"}:
                return
            failed, text = True, once.stalled if outcome == "stalled" else once.wrong
            self._tally.asked_again += number + 1 < len(ask.tries)

    def _try(self, ask: AgentAsk, once: Try, *, failed_before: bool) -> str:
        """One tool loop, and how it ends."""
        qualities = [self._step(ask, f"step {number}", FINE) for number in range(once.calls)]
        quality = fmean(qualities)
        solves = ask.difficulty < quality
        if failed_before and not solves:
            solves = once.luck < quality * self._agents.second_chance
        stalls = not solves and once.stall < self._agents.stalls
        for _ in range(self._agents.stalled_calls if stalls else 0):
            self._step(ask, _SAME, FAILS)
        self._answer(ask)
        if solves:
            return "solved"
        if stalls:
            return "stalled"
        return "wrong" if once.notice < self._agents.notices else "unnoticed"

    def _step(self, ask: AgentAsk, arguments: str, result: str) -> float:
        """One request whose answer calls a tool; the quality of its model for this ask."""
        model, answer_tokens = self._request(ask)
        self._conversation.call(arguments, result, answer_tokens + self._agents.result_tokens)
        return self._scenario.models[model].quality_of(ask.kind)

    def _answer(self, ask: AgentAsk) -> None:
        _, answer_tokens = self._request(ask)
        self._conversation.answer(answer_tokens)

    def _request(self, ask: AgentAsk) -> tuple[str, int]:
        """One request: which model answers it, and with how many tokens."""
        conversation, tally = self._conversation, self._tally
        model = self._router.choose(ask, conversation).model
        self._count_switch(model)
        prompt_tokens, answer_tokens = conversation.tokens, self._scenario.answer_tokens
        now_s = self._clock.monotonic_s()
        usage = self._prefixes.answer(model, prompt_tokens, answer_tokens, now_s)
        pool = self._scenario.models[model]
        tally.count(model, usage, pool.cost.price.of(usage))
        took_s = pool.ttft_s + pool.s_per_token * answer_tokens
        self._clock.advance(took_s)
        self._router.answered(model, usage, took_s)
        return model, answer_tokens

    def _count_switch(self, model: str) -> None:
        if self._model and model != self._model:
            self._tally.switches += 1
            self._tally.unsafe_switches += self._conversation.in_loop
        self._model = model
