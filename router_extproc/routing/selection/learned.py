"""`learned`: the candidate whose expected quality, less what its cost counts, is the highest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from router_extproc.routing.selection.base import Candidate, Choice, Circumstances, SelectionSettings
from router_extproc.routing.selection.expected import (
    QUALITY,
    ByExpectation,
    expected_of,
    first_of,
    quality_of,
)
from router_extproc.routing.selection.worth import relative_costs


@dataclass(frozen=True, slots=True)
class LearnedSelection(ByExpectation):
    """Fits Selection."""

    #: What a relative cost of 1, the dearest candidate's, takes off the quality.
    cost_weight: float

    def choose(self, candidates: Sequence[Candidate], known: Circumstances) -> Choice:
        """See Selection; the first written wins among equals."""
        expected = expected_of(candidates, known, self.signal)
        if not expected:
            return first_of(candidates)
        relative = relative_costs({each.model: each.cost for each in expected})
        numbers = {
            each.model: {
                "quality": each.quality,
                "cost": each.cost,
                "value": each.quality - self.cost_weight * relative[each.model],
            }
            for each in expected
        }
        best = max(expected, key=lambda each: numbers[each.model]["value"])
        return Choice(best.candidate, f"the best value at cost_weight {self.cost_weight:g}", numbers)


class LearnedSettings(SelectionSettings):
    """The settings of `learned`."""

    by: Literal["learned"]
    #: The folder that `train selection` wrote.
    model: str = Field(min_length=1)
    #: How much quality, from 0 to 1, a free model may lack of the dearest one; 0: quality alone counts.
    cost_weight: float = Field(default=0.0, ge=0, le=10)

    @property
    def needs_costs(self) -> bool:
        """See SelectionSettings."""
        return self.cost_weight > 0

    def own_signals(self) -> Mapping[str, Mapping[str, str]]:
        """See SelectionSettings."""
        return quality_of(self.model)

    def open(self) -> LearnedSelection:
        """See SelectionSettings."""
        return LearnedSelection(QUALITY + self.model, self.cost_weight)
