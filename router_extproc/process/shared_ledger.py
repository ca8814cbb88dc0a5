"""What a ledger has counted in all workers, as a value that the keeper adds up and keeps over a restart."""

from __future__ import annotations

from typing import Final, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from router_extproc.llm.answer import JsonValue

BatchT = TypeVar("BatchT")


class MovableLedger(Protocol[BatchT]):
    """Counts, and hands over what it has counted."""

    @property
    def empty(self) -> bool:
        """True: nothing has been counted."""
        ...

    def add_batch(self, batch: BatchT) -> None:
        """Count what another process, or this one before a restart, has counted."""
        ...

    def batch(self) -> BatchT:
        """All of it, as a value that does not change."""
        ...

    def move_out(self) -> BatchT:
        """All of it; it is counted elsewhere from now on, and the ledger begins anew."""
        ...


class SharedLedger(Generic[BatchT]):
    """One ledger of all workers; fits process.sharing.SharedValue."""

    everywhere = False

    def __init__(
        self, name: str, ledger: MovableLedger[BatchT], batch: TypeAdapter[BatchT], *, keeper: bool
    ) -> None:
        """`batch`: reads and writes what is shared and kept."""
        self.name: Final = name
        self._ledger: Final = ledger
        self._batch: Final = batch
        self._keeper: Final = keeper

    def collect(self) -> list[JsonValue]:
        """See SharedValue; what the keeper itself has counted is where it belongs."""
        if self._keeper or self._ledger.empty:
            return []
        return [self._batch.dump_python(self._ledger.move_out(), mode="json")]

    def apply(self, event: JsonValue) -> None:
        """See SharedValue."""
        self._ledger.add_batch(self._batch.validate_python(event))

    def kept(self) -> BatchT:
        """See SharedValue."""
        return self._ledger.batch()

    def take_back(self, kept: JsonValue) -> None:
        """See SharedValue; the own state stays when the other cannot be read."""
        batch = self._batch.validate_python(kept)
        self._ledger.move_out()
        self._ledger.add_batch(batch)
