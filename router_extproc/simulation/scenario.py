"""Scenarios: pools, requests, events over time, and selections to compare. `read` reads them from files."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from router_extproc.config.decisions import SelectionSection
from router_extproc.config.failover import Failover
from router_extproc.config.model import Cost
from router_extproc.section import Section
from router_extproc.simulation.agents.section import SimulatedSessions

#: In the place of a folder of `train selection`: the qualities are those of the scenario.
OWN_QUALITIES: Final = "scenario"
#: What the prompts are called when the scenario does not tell kinds of them apart.
ANY_PROMPT: Final = "any"
#: Of all runs together: more take minutes.
REQUESTS_MAX: Final = 500_000
SELECTIONS_MAX: Final = 32

#: "outage": connections are refused, and what was on its way breaks off; "silent": requests are accepted and
#: never answered; "failing": every answer is a 500; "rate_limited": every answer is a 429; "slow": everything
#: takes `factor` times as long; "recovery": all of this is over.
Happening: TypeAlias = Literal["outage", "silent", "failing", "rate_limited", "slow", "recovery"]


class SimulatedModel(Section):
    """One model and its pool."""

    #: From the moment when the pool takes the request up to the first token.
    ttft_s: float = Field(gt=0, le=600)
    s_per_token: float = Field(ge=0, le=10)
    #: As `models.NAME.cost` in a configuration.
    cost: Cost = Cost()
    #: Of its answers, or by kind of prompt.
    quality: Annotated[float, Field(ge=0, le=1)] | dict[str, Annotated[float, Field(ge=0, le=1)]] = 1.0
    #: What the router expects of it before it has heard of any outcome. None: the truth.
    expected_quality: (
        Annotated[float, Field(ge=0, le=1)] | dict[str, Annotated[float, Field(ge=0, le=1)]] | None
    ) = None
    #: Requests at once; further ones wait in the pool.
    capacity: int = Field(default=64, ge=1, le=10_000)
    #: For `weighted`.
    weight: float = Field(default=1.0, gt=0)

    def quality_of(self, kind: str) -> float:
        """Of the answer to a prompt of this kind."""
        return self.quality.get(kind, 0.0) if isinstance(self.quality, dict) else self.quality

    def expected_of(self, kind: str) -> float:
        """As the router expects of such an answer."""
        told = self.expected_quality
        if told is None:
            return self.quality_of(kind)
        return told.get(kind, 0.0) if isinstance(told, dict) else told


class SimulatedFeedback(Section):
    """What the router hears of answers."""

    #: Of the answers, those of which it hears anything.
    share: float = Field(default=0.2, ge=0, le=1)
    #: Of these, those of which it hears the truth.
    honesty: float = Field(default=1.0, ge=0, le=1)
    #: Clients who ask.
    clients: int = Field(default=1000, ge=1, le=1_000_000)


class Event(Section):
    """What happens to one pool."""

    at_s: float = Field(ge=0)
    model: str = Field(min_length=1)
    happens: Happening
    #: Of "slow".
    factor: float = Field(default=1.0, gt=0, le=1000)
    #: Of "rate_limited", in its answers. None: they have no `retry-after`.
    retry_after_s: float | None = Field(default=None, ge=0)


def _own_qualities(given: object) -> object:
    """`learned`, `cheapest` and `bandit` go by the scenario's qualities."""
    if isinstance(given, dict) and given.get("by") in {"learned", "cheapest", "bandit"}:
        return {"model": OWN_QUALITIES, **given}
    return given


def _failover(given: object) -> object:
    return {} if given is True else given


class Scenario(Section):
    """Everything that a simulation depends on."""

    seed: int = 1
    duration_s: float = Field(default=120.0, gt=0, le=86_400)
    requests_per_s: float = Field(default=5.0, gt=0, le=10_000)
    #: Medians.
    prompt_tokens: int = Field(default=400, ge=1, le=1_000_000)
    answer_tokens: int = Field(default=200, ge=1, le=100_000)
    #: Of the lengths' logarithms; 0: all are alike.
    length_spread: float = Field(default=0.5, ge=0, le=2)
    #: How far, one way or the other, a single prompt's quality is from its kind's.
    quality_spread: float = Field(default=0.0, ge=0, le=1)
    #: Kinds of prompts, with their shares.
    prompts: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=lambda: {ANY_PROMPT: 1.0}, min_length=1
    )
    models: dict[str, SimulatedModel] = Field(min_length=1, max_length=64)
    events: tuple[Event, ...] = Field(default=(), max_length=100)
    #: As `failover` in a configuration.
    failover: Annotated[Failover | Literal[False], BeforeValidator(_failover)] = Failover()
    #: Agent sessions in place of single requests. None: there are none.
    sessions: SimulatedSessions | None = None
    #: What the router hears of answers; a `bandit` learns from it.
    feedback: SimulatedFeedback = SimulatedFeedback(share=0)
    #: How often the router looks whether each pool is alive.
    probe_every_s: float = Field(default=1.0, gt=0)
    #: As `selection` of a decision, by any name: each serves the same requests.
    selections: dict[str, Annotated[SelectionSection, BeforeValidator(_own_qualities)]] = Field(
        min_length=1, max_length=SELECTIONS_MAX
    )

    @property
    def happenings(self) -> tuple[Event, ...]:
        """The events in the order of time."""
        return tuple(sorted(self.events, key=lambda event: event.at_s))
