"""Outcomes of models' answers, as a value that workers share and keep over a restart."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from router_extproc.llm.answer import JsonValue
from router_extproc.routing.outcomes.live import KeptOutcomes, LiveOutcomes
from router_extproc.routing.outcomes.seen import OutcomeSeen

_NEW: Final = TypeAdapter(list[OutcomeSeen])
_KEPT: Final = TypeAdapter(list[KeptOutcomes])


class SharedOutcomes:
    """How answers were, by decision and model; fits process.sharing.SharedValue."""

    name = "outcomes"
    everywhere = True

    def __init__(self, outcomes: LiveOutcomes, *, alone: bool) -> None:
        """`alone`: there is no other worker, so every outcome counts as it becomes known."""
        self._outcomes: Final = outcomes
        outcomes.is_shared = not alone

    def collect(self) -> list[JsonValue]:
        """See SharedValue; what became known in one round is one event."""
        new = self._outcomes.take_new()
        return [_NEW.dump_python(list(new), mode="json")] if new else []

    def apply(self, event: JsonValue) -> None:
        """See SharedValue."""
        for seen in _NEW.validate_python(event):
            self._outcomes.apply(seen)

    def kept(self) -> tuple[KeptOutcomes, ...]:
        """See SharedValue."""
        return self._outcomes.kept()

    def take_back(self, kept: JsonValue) -> None:
        """See SharedValue."""
        self._outcomes.take_back(_KEPT.validate_python(kept))
