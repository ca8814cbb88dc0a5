"""What a selection is: it chooses one of a decision's candidates.

Adding one: a file here with its settings (`SelectionSettings`) and a class that fits `Selection`, and one
line in `__init__.py`; `testing.check_selection` is its contract.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from router_extproc.errors import ConfigError
from router_extproc.routing.catalogue import Target
from router_extproc.routing.rules import Readings
from router_extproc.routing.traffic import TrafficSnapshot
from router_extproc.section import Section


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that a decision may send a request to."""

    target: Target
    #: How often it is taken beside the others.
    weight: float = 1.0


class Selection(Protocol):
    """Chooses a candidate; pure, bounded in time, never raises."""

    @property
    def signals(self) -> frozenset[str]:
        """The names of the signals whose readings it looks at: these are computed for it."""
        ...

    def choose(
        self, candidates: Sequence[Candidate], readings: Readings, traffic: TrafficSnapshot
    ) -> Candidate:
        """One of the candidates, of which there is at least one; a reading may be missing.

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

    @abstractmethod
    def open(self) -> Selection:
        """The selection.

        Raises:
            ConfigError: something that it needs is missing or damaged.
        """
        ...
