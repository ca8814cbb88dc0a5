"""`cheapest`: the cheapest candidate that is expected to be nearly as good as the best one.

`quality_min` is the share of the best candidate's expected quality that must be kept: at 0 the cheapest
candidate is chosen, at 1 the best one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from router_extproc.routing.selection.base import Candidate, Choice, Circumstances
from router_extproc.routing.selection.enough import EnoughSettings
from router_extproc.routing.selection.expected import ByExpectation, expected_of, first_of, is_enough


@dataclass(frozen=True, slots=True)
class CheapestSelection(ByExpectation):
    """Fits Selection."""

    quality_min: float

    def choose(self, candidates: Sequence[Candidate], known: Circumstances) -> Choice:
        """See Selection; among equally cheap ones the better, then the first written."""
        expected = expected_of(candidates, known, self.signal)
        if not expected:
            return first_of(candidates)
        needed = self.quality_min * max(each.quality for each in expected)
        enough = [each for each in expected if is_enough(each.quality, needed)]
        best = min(enough, key=lambda each: (each.cost, -each.quality))
        numbers = {
            each.model: {"quality": each.quality, "cost": each.cost, "needed": needed} for each in expected
        }
        return Choice(best.candidate, f"the cheapest at quality_min {self.quality_min:g}", numbers)


class CheapestSettings(EnoughSettings):
    """The settings of `cheapest`."""

    by: Literal["cheapest"]

    def open(self) -> CheapestSelection:
        """See SelectionSettings."""
        return CheapestSelection(self.signal, self.quality_min)
