"""Which key is evicted when a tier is full: fifo, lru or lfu. Every operation takes constant time."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Literal, Protocol

EvictionPolicy = Literal["fifo", "lru", "lfu"]


class EvictionOrder(Protocol):
    """The order in which keys leave."""

    def add(self, key: str) -> None:
        """Take a key in that is not there yet."""
        ...

    def use(self, key: str) -> None:
        """The key's entry was a hit."""
        ...

    def remove(self, key: str) -> None:
        """Forget a key that is there."""
        ...

    def first(self) -> str:
        """The key to leave next; there is at least one."""
        ...


def eviction_order(policy: EvictionPolicy) -> EvictionOrder:
    """An empty order of the policy."""
    if policy == "lfu":
        return _LeastFrequent()
    return _Queue(renew=policy == "lru")


class _Queue:
    """The oldest leaves first: the oldest stored (fifo) or the longest unused (lru)."""

    def __init__(self, *, renew: bool) -> None:
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._renew: Final = renew

    def add(self, key: str) -> None:
        self._keys[key] = None

    def use(self, key: str) -> None:
        if self._renew:
            self._keys.move_to_end(key)

    def remove(self, key: str) -> None:
        del self._keys[key]

    def first(self) -> str:
        return next(iter(self._keys))


class _LeastFrequent:
    """The least used leaves first, among equals the longest unused.

    Keys stand in one queue for each number of uses, so nothing is ever sorted.
    """

    def __init__(self) -> None:
        self._uses: dict[str, int] = {}
        self._queues: dict[int, OrderedDict[str, None]] = {}
        self._fewest = 0

    def add(self, key: str) -> None:
        self._enter(key, 0)
        self._fewest = 0

    def use(self, key: str) -> None:
        self._enter(key, self._leave(key) + 1)

    def remove(self, key: str) -> None:
        self._leave(key)

    def first(self) -> str:
        if self._fewest not in self._queues:
            self._fewest = min(self._queues)
        return next(iter(self._queues[self._fewest]))

    def _enter(self, key: str, uses: int) -> None:
        self._uses[key] = uses
        self._queues.setdefault(uses, OrderedDict())[key] = None

    def _leave(self, key: str) -> int:
        uses = self._uses.pop(key)
        queue = self._queues[uses]
        del queue[key]
        if not queue:
            del self._queues[uses]
        return uses
