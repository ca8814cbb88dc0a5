"""Settings of selections that keep a share of the best candidate's quality."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from router_extproc.routing.selection.base import SelectionSettings
from router_extproc.routing.selection.expected import COMPLEXITY, QUALITY, quality_of


class EnoughSettings(SelectionSettings):
    """What `cheapest` and `bandit` have in common."""

    #: Share of the best candidate's expected quality that must be kept.
    quality_min: float = Field(default=0.9, ge=0, le=1)
    #: The folder that `train selection` wrote. None: the complexity of the prompt tells.
    model: str | None = Field(default=None, min_length=1)

    @property
    def needs_costs(self) -> bool:
        """See SelectionSettings."""
        return True

    @property
    def signal(self) -> str:
        """The signal that tells what is expected."""
        return COMPLEXITY if self.model is None else QUALITY + self.model

    def own_signals(self) -> Mapping[str, Mapping[str, str]]:
        """See SelectionSettings."""
        return {COMPLEXITY: {"type": "complexity"}} if self.model is None else quality_of(self.model)
