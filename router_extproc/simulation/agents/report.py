"""What a simulation of sessions shows: each way to choose models beside the dearest model alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from router_extproc.evaluation.metrics import Estimate
from router_extproc.evaluation.selection import bootstrap
from router_extproc.simulation.agents.draw import draw_sessions
from router_extproc.simulation.agents.life import Tally, live_through
from router_extproc.simulation.agents.router import ways_of
from router_extproc.simulation.agents.section import SimulatedSessions
from router_extproc.simulation.scenario import Scenario


@dataclass(frozen=True, slots=True)
class WayReport:
    """One way to choose models, over all repeats; estimates are of repeats."""

    way: str
    sessions: int
    asks: int
    requests: int
    cost: float
    #: Share of asks.
    solved: float
    solved_at_once: float
    #: How often a human had to ask again, for each ask.
    asked_again: float
    switches: int
    #: Those in the middle of a tool loop.
    unsafe_switches: int
    #: Of prompt tokens.
    cached_share: float
    #: Of requests, by model.
    models: dict[str, float]
    #: Against the dearest model alone, over the same sessions: -0.4 is 40 % less.
    cost_change: Estimate
    solved_change: Estimate


@dataclass(frozen=True, slots=True)
class SessionsReport:
    """All ways over the same sessions."""

    seed: int
    repeats: int
    #: With what the ways are compared.
    baseline: str
    ways: tuple[WayReport, ...]


def simulate_sessions(
    scenario: Scenario,
    agents: SimulatedSessions,
    seed: int | None = None,
    done: Callable[[str], None] = lambda _: None,
) -> SessionsReport:
    """Live the sessions through in each way; `done` hears of each that is over."""
    begin = scenario.seed if seed is None else seed
    drawn = [list(draw_sessions(scenario, agents, begin + repeat)) for repeat in range(agents.repeats)]
    tallies: dict[str, list[Tally]] = {}
    for way in ways_of(scenario):
        tallies[way.name] = [live_through(sessions, scenario, agents, way) for sessions in drawn]
        done(way.name)
    baseline = f"always {max(scenario.models, key=lambda name: _price(scenario, name))}"
    ways = tuple(_report(name, each, tallies[baseline]) for name, each in tallies.items())
    return SessionsReport(begin, agents.repeats, baseline, ways)


def _price(scenario: Scenario, name: str) -> float:
    cost = scenario.models[name].cost
    return cost.input_per_mtok + cost.output_per_mtok


def _report(name: str, tallies: Sequence[Tally], baseline: Sequence[Tally]) -> WayReport:
    whole = _sum(tallies)
    asks, requests = max(1, whole.asks), max(1, whole.requests)
    pairs = list(zip(tallies, baseline, strict=True))
    return WayReport(
        name,
        whole.sessions,
        whole.asks,
        whole.requests,
        round(whole.cost, 9),
        whole.solved / asks,
        whole.solved_at_once / asks,
        whole.asked_again / asks,
        whole.switches,
        whole.unsafe_switches,
        whole.cached_tokens / max(1, whole.prompt_tokens),
        {model: count / requests for model, count in sorted(whole.models.items())},
        _estimate([own.cost / other.cost - 1 if other.cost else 0.0 for own, other in pairs]),
        _estimate([(own.solved - other.solved) / max(1, own.asks) for own, other in pairs]),
    )


def _sum(tallies: Sequence[Tally]) -> Tally:
    whole = Tally()
    for each in tallies:
        for field in fields(Tally):
            if field.name != "models":
                setattr(whole, field.name, getattr(whole, field.name) + getattr(each, field.name))
        for model, count in each.models.items():
            whole.models[model] = whole.models.get(model, 0) + count
    return whole


def _estimate(values: Sequence[float]) -> Estimate:
    drawn = bootstrap(np.array(values))
    if drawn is None:
        raise ValueError("no repeats")
    return drawn
