"""Shadow evaluations of all workers, as a value that the keeper adds up and keeps over a restart."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.evaluation.outcomes import OutcomeLedger, OutcomesBatch

_BATCH: Final = TypeAdapter(OutcomesBatch)


class SharedEvaluations:
    """How all workers' evaluations ended; fits process.sharing.SharedValue."""

    name = "evaluations"
    everywhere = False

    def __init__(self, ledger: OutcomeLedger, *, keeper: bool) -> None:
        self._ledger: Final = ledger
        self._keeper: Final = keeper

    def collect(self) -> list[JsonValue]:
        """See SharedValue; what the keeper itself has counted is where it belongs."""
        if self._keeper or not self._ledger.sums:
            return []
        return [_BATCH.dump_python(self._ledger.move_out(), mode="json")]

    def apply(self, event: JsonValue) -> None:
        """See SharedValue."""
        self._ledger.add_batch(_BATCH.validate_python(event))

    def kept(self) -> JsonValue:
        """See SharedValue."""
        kept: JsonValue = _BATCH.dump_python(self._ledger.batch(), mode="json")
        return kept

    def take_back(self, kept: JsonValue) -> None:
        """See SharedValue."""
        batch = _BATCH.validate_python(kept)
        self._ledger.move_out()
        self._ledger.add_batch(batch)
