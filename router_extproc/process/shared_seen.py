"""What each worker has seen, as a value that all of them learn and that is kept over a restart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from router_extproc.llm.answer import JsonValue

SeenT = TypeVar("SeenT")


class Memory(Protocol[SeenT]):
    """Remembers what was seen here and elsewhere."""

    def take_new(self) -> Sequence[SeenT]:
        """What was seen here since it was last asked."""
        ...

    def learn(self, seen: Sequence[SeenT], /) -> None:
        """Take over what any worker has seen."""
        ...

    @property
    def known(self) -> Sequence[SeenT]:
        """All of it; values that do not change."""
        ...


class SharedSeen(Generic[SeenT]):
    """What one memory of all workers remembers; fits process.sharing.SharedValue."""

    everywhere = True

    def __init__(self, name: str, memory: Memory[SeenT], seen: TypeAdapter[list[SeenT]]) -> None:
        """`seen`: reads and writes what is shared and kept."""
        self.name: Final = name
        self._memory: Final = memory
        self._seen: Final = seen

    def collect(self) -> list[JsonValue]:
        """See SharedValue; what was seen in one round is one event."""
        new = self._memory.take_new()
        return [self._seen.dump_python(list(new), mode="json")] if new else []

    def apply(self, event: JsonValue) -> None:
        """See SharedValue."""
        self._memory.learn(self._seen.validate_python(event))

    def kept(self) -> tuple[SeenT, ...]:
        """See SharedValue."""
        return tuple(self._memory.known)

    def take_back(self, kept: JsonValue) -> None:
        """See SharedValue; what this worker has seen meanwhile stays."""
        self.apply(kept)
