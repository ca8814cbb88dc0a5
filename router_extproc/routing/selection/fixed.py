"""`fixed`: always the first candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from router_extproc.routing.selection.base import Candidate, Choice, Circumstances, SelectionSettings

REASON: Final = "the first that takes it"


@dataclass(frozen=True, slots=True)
class FixedSelection:
    """Looks at nothing. Fits Selection."""

    signals: frozenset[str] = frozenset()
    counts_tokens: bool = False
    by_need: bool = False

    def choose(
        self,
        candidates: Sequence[Candidate],
        known: Circumstances,  # noqa: ARG002 - the port
    ) -> Choice:
        """See Selection."""
        return Choice(candidates[0], REASON)


FIRST: Final = FixedSelection()


class FixedSettings(SelectionSettings):
    """The settings of `fixed`."""

    by: Literal["fixed"] = "fixed"

    def open(self) -> FixedSelection:
        """See SelectionSettings."""
        return FIRST
