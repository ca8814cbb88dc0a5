"""Draws what humans ask in their sessions: the same for every way to choose a model."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from router_extproc.simulation.agents.section import SimulatedSessions
from router_extproc.simulation.scenario import Scenario

#: A topic's first ask names it.
_TOPICS: Final = (
    "Fix the parser of dates in module {}.",
    "Write a migration that adds the table of invoices {}.",
    "Find out why job {} of the nightly build fails.",
    "Export report {} as a spreadsheet every Monday.",
    "Translate the texts of page {} into German.",
    "Upgrade service {} to the newest version of its framework.",
)
#: Later ones lean on it.
_FURTHER: Final = (
    "And now write the tests for it.",
    "Do the same for the other one.",
    "And make it faster.",
    "Can you explain that again?",
    "Now add the documentation for it.",
)
#: How humans say that an answer was wrong; no signal reads all of them.
_WRONG: Final = (
    "That's wrong.",
    "No, it still fails.",
    "It still doesn't work.",
    "That didn't help, same error.",
    "Hm, test 4 is red again.",
    "You broke the build.",
    "Not what I wanted.",
    "The output has the old format, look again.",
)
_AFTER_STALL: Final = ("Try again.", "Go on.", "Please continue.", "Then try it another way.")
_DRAWS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Try:
    """One time that an ask is worked on."""

    #: How many calls a model makes that does not stall.
    calls: int
    #: Uniform draws: whether a model that failed solves it now, stalls, and whether the human notices.
    luck: float
    stall: float
    notice: float
    #: What the human says afterwards, if it was wrong, or if the agent stalled.
    wrong: str
    stalled: str
    pause_s: float


@dataclass(frozen=True, slots=True)
class AgentAsk:
    """One thing that a human wants."""

    text: str
    kind: str
    #: As which kind of prompt it is read.
    read_as: str
    #: Of 0 to 1: a model solves it at first if its quality for this kind is higher.
    difficulty: float
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True)
class AgentSession:
    """All that one human asks one agent."""

    number: int
    asks: tuple[AgentAsk, ...]
    #: For readings of single requests.
    seed: int


def draw_sessions(scenario: Scenario, agents: SimulatedSessions, seed: int) -> Iterator[AgentSession]:
    """The sessions of one repeat."""
    source = random.Random(seed)  # noqa: S311 - a draw that can be repeated, no secret
    for number in range(agents.count):
        asks = tuple(_draw_asks(scenario, agents, f"{seed}-{number}", source))
        yield AgentSession(number, asks, source.getrandbits(32))


def _draw_asks(
    scenario: Scenario, agents: SimulatedSessions, name: str, source: random.Random
) -> Iterator[AgentAsk]:
    for topic in range(_geometric(agents.topics_mean, source)):
        kind = read_as = None
        for place in range(_geometric(agents.asks_mean, source)):
            if kind is None or read_as is None or source.random() >= agents.same_kind:
                kind = draw_kind(scenario, source)
                anew = draw_kind(scenario, source)
                # An ask that goes on is read with its topic.
                read_as = anew if source.random() < agents.misreads else kind
            first = source.choice(_TOPICS).format(f"{name}-{topic}")
            text = source.choice(_FURTHER) if place else first
            tries = tuple(_draw_try(agents, source) for _ in range(agents.tries_max))
            yield AgentAsk(text, kind, read_as, source.random(), tries)


def _draw_try(agents: SimulatedSessions, source: random.Random) -> Try:
    return Try(
        _geometric(agents.calls_mean, source),
        source.random(),
        source.random(),
        source.random(),
        source.choice(_WRONG),
        source.choice(_AFTER_STALL),
        agents.pause_s * source.lognormvariate(0.0, 1.0),
    )


def draw_kind(scenario: Scenario, source: random.Random) -> str:
    """A kind of prompt, by their shares."""
    return source.choices(list(scenario.prompts), list(scenario.prompts.values()))[0]


def _geometric(mean: float, source: random.Random) -> int:
    """At least 1."""
    if mean <= 1:
        return 1
    drawn = math.log(1 - source.random()) / math.log(1 - 1 / mean)
    return min(_DRAWS_MAX, 1 + int(drawn))
