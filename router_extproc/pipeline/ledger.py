"""A ledger: sums by key, those of this process and those that were handed to it.

The keys are bounded: they are names of configurations, and one that is reloaded for ever with new names ends
in one sum for the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final, Generic, Protocol, Self, TypeVar

#: The name, in a key, of what there was no room for; no decision, model or tag has it.
REST: Final = "(other)"


class Addable(Protocol):
    """What can be added up."""

    def __add__(self, other: Self, /) -> Self:
        """The sum of both."""
        ...


KeyT = TypeVar("KeyT")
SumT = TypeVar("SumT", bound=Addable)
BatchT = TypeVar("BatchT")


class Ledger(ABC, Generic[KeyT, SumT, BatchT]):
    """Adds up by key; a kind says what a batch of its sums is, and what the rest is called."""

    def __init__(self, keys_max: int) -> None:
        """`keys_max`: keys that are kept; further ones are added up as the rest."""
        self._keys_max: Final = keys_max
        self._sums: Final[dict[KeyT, SumT]] = {}

    @abstractmethod
    def add_batch(self, batch: BatchT) -> None:
        """Count what another process, or this one before a restart, has counted."""

    @abstractmethod
    def batch(self) -> BatchT:
        """All of it."""

    @abstractmethod
    def rest_of(self, key: KeyT) -> KeyT:
        """The key under which a key is added up that there is no room for."""

    def move_out(self) -> BatchT:
        """All of it; it is counted elsewhere from now on, and this begins anew."""
        batch = self.batch()
        self._sums.clear()
        return batch

    @property
    def empty(self) -> bool:
        """True: nothing has been counted."""
        return not self._sums

    @property
    def sums(self) -> Mapping[KeyT, SumT]:
        """What each key came to."""
        return self._sums

    def _add(self, key: KeyT, more: SumT) -> None:
        if key not in self._sums and len(self._sums) >= self._keys_max:
            key = self.rest_of(key)
        before = self._sums.get(key)
        self._sums[key] = more if before is None else before + more
