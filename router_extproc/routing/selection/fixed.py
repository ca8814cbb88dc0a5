"""`fixed`: always the first candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from router_extproc.routing.rules import Readings
from router_extproc.routing.selection.base import Candidate, SelectionSettings
from router_extproc.routing.traffic import TrafficSnapshot


@dataclass(frozen=True, slots=True)
class FixedSelection:
    """Looks at nothing. Fits Selection."""

    signals: frozenset[str] = frozenset()

    def choose(
        self,
        candidates: Sequence[Candidate],
        readings: Readings,  # noqa: ARG002 - the port
        traffic: TrafficSnapshot,  # noqa: ARG002 - the port
    ) -> Candidate:
        """See Selection."""
        return candidates[0]


FIRST: Final = FixedSelection()


class FixedSettings(SelectionSettings):
    """The settings of `fixed`."""

    by: Literal["fixed"] = "fixed"

    def open(self) -> FixedSelection:
        """See SelectionSettings."""
        return FIRST
