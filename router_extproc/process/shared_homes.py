"""Which model gave which answer, as a value that workers share and keep over a restart."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.answer_homes import AnswerHomes, Home

_HOMES: Final = TypeAdapter(list[Home])


class SharedHomes:
    """Which model gave which answer that a pool may keep; fits process.sharing.SharedValue."""

    name = "answer_homes"
    everywhere = True

    def __init__(self, homes: AnswerHomes) -> None:
        self._homes: Final = homes

    def collect(self) -> list[JsonValue]:
        """See SharedValue; what was seen in one round is one event."""
        new = self._homes.take_new()
        return [_HOMES.dump_python(list(new), mode="json")] if new else []

    def apply(self, event: JsonValue) -> None:
        """See SharedValue."""
        self._homes.learn(_HOMES.validate_python(event))

    def kept(self) -> JsonValue:
        """See SharedValue."""
        kept: JsonValue = _HOMES.dump_python(list(self._homes.known), mode="json")
        return kept

    def take_back(self, kept: JsonValue) -> None:
        """See SharedValue; what this worker has seen meanwhile stays."""
        self.apply(kept)
