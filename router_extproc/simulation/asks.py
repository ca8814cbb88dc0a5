"""The requests of a scenario, drawn from its seed: the same ones for every selection."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.simulation.scenario import Scenario, SimulatedModel

#: Of the logarithm of what a pool takes for one request.
_SPEED_SPREAD: Final = 0.1
_TOKENS_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class SimulatedAsk:
    """One request, and what each model would make of it."""

    at_s: float
    conversation: bytes
    prompt_tokens: int
    answer_tokens: int
    #: By model.
    qualities: Mapping[str, float]
    #: How much longer than usual it takes, whoever answers.
    slowness: float
    #: What the router expects of each model, before it has heard of any outcome.
    expected: Mapping[str, float]


def draw_asks(scenario: Scenario, seed: int) -> Iterator[SimulatedAsk]:
    """In the order of time; arrivals are a Poisson process."""
    source = random.Random(seed)  # noqa: S311 - a draw that can be repeated, no secret
    at_s = source.expovariate(scenario.requests_per_s)
    while at_s < scenario.duration_s:
        yield _draw(scenario, at_s, source)
        at_s += source.expovariate(scenario.requests_per_s)


def _draw(scenario: Scenario, at_s: float, source: random.Random) -> SimulatedAsk:
    kind = source.choices(list(scenario.prompts), list(scenario.prompts.values()))[0]
    spread = scenario.quality_spread
    off = {name: spread * (2 * source.random() - 1) for name in scenario.models}
    qualities, expected = (
        {name: min(1.0, max(0.0, of(model, kind) + off[name])) for name, model in scenario.models.items()}
        for of in (SimulatedModel.quality_of, SimulatedModel.expected_of)
    )
    return SimulatedAsk(
        at_s,
        source.randbytes(16),
        _length(scenario.prompt_tokens, scenario.length_spread, source),
        _length(scenario.answer_tokens, scenario.length_spread, source),
        qualities,
        source.lognormvariate(0.0, _SPEED_SPREAD),
        expected,
    )


def _length(median: int, spread: float, source: random.Random) -> int:
    return min(_TOKENS_MAX, max(1, round(median * source.lognormvariate(0.0, spread))))
