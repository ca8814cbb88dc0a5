"""What a selection is: it chooses one of a decision's candidates.

Adding one: a file here with its settings (`SelectionSettings`) and a class that fits `Selection`, and one
line in `__init__.py`; `testing.check_selection` is its contract.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from router_extproc.errors import ConfigError
from router_extproc.llm.price import Price
from router_extproc.routing.catalogue import Target
from router_extproc.routing.outcomes.seen import NO_OUTCOMES, DecisionOutcomes, Learning
from router_extproc.routing.rules import Readings
from router_extproc.routing.session import Move, Session, UpReason
from router_extproc.routing.traffic import ALL_UP, TrafficSnapshot
from router_extproc.section import Section


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that a decision may send a request to."""

    target: Target
    #: How often it is taken beside the others.
    weight: float = 1.0
    #: What its tokens cost; None: the configuration does not say.
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a selection may look at."""

    #: A reading that the selection looks at may be missing.
    readings: Readings = field(default_factory=dict)
    traffic: TrafficSnapshot = ALL_UP
    #: Of the whole request, estimated; 0: nobody counts them.
    tokens: int = 0
    #: The same for every request of one conversation (`routing.conversations`), others for others.
    conversation: bytes = b""
    #: None: nobody follows sessions.
    session: Session | None = None
    #: How answers of the decision's models were.
    outcomes: DecisionOutcomes = NO_OUTCOMES


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate that was chosen, and why."""

    candidate: Candidate
    #: A few words of the router's own and names of the configuration; nothing that a client wrote.
    reason: str
    #: What was compared, by model and name: {"small": {"quality": 0.91, "cost": 0.0002}}.
    numbers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    #: What it means for its session; None: it has none, or there was nothing to choose.
    move: Move | None = None
    #: Why its session moves up; None: it does not.
    up_reason: UpReason | None = None
    #: Models that are not good enough: no session moves up to them.
    barred: frozenset[str] = frozenset()


class Selection(Protocol):
    """Chooses a candidate; pure, bounded in time, never raises."""

    @property
    def signals(self) -> frozenset[str]:
        """The names of the signals whose readings it looks at: these are computed for it."""
        ...

    @property
    def counts_tokens(self) -> bool:
        """True when it looks at the length of the request: it is estimated for it."""
        ...

    @property
    def by_need(self) -> bool:
        """True when what is asked tells how strong a model it needs: a session moves when that changes."""
        ...

    def choose(self, candidates: Sequence[Candidate], known: Circumstances) -> Choice:
        """One of the candidates, of which there is at least one.

        Fallbacks are not its business: they are followed after the choice.
        """
        ...


class SelectionSettings(Section, ABC):
    """A selection's section of the configuration: what it says, what is wrong with it, how it is opened."""

    #: The registry name; every kind narrows it to its own.
    by: str

    def problems(self, path: str) -> Iterator[ConfigError]:
        """What no single field can tell; `path` is the section's YAML path."""
        del path
        yield from ()

    @property
    def needs_costs(self) -> bool:
        """True when it compares what candidates cost: each needs a price."""
        return False

    def own_signals(self) -> Mapping[str, Mapping[str, str]]:
        """Signals that are opened for it, beside those of the configuration: their sections, by name."""
        return {}

    def learning(self, models: Iterable[str]) -> Learning | None:
        """How it learns from outcomes of these candidates; None: it does not look at any."""
        del models
        return None

    @abstractmethod
    def open(self) -> Selection:
        """The selection.

        Raises:
            ConfigError: something that it needs is missing or damaged.
        """
        ...
