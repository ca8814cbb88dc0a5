"""How much of a tier each scope holds, and whose entry leaves so that nobody pushes others out.

It stores nothing and holds keys only. The rule it keeps: while a scope holds more than its share, the
entry that leaves is its own, or that of another scope with too much; a scope within its share loses
nothing to it. A tier that is not full lets everybody have more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from router_extproc.cache.base import Fingerprint, Scope
from router_extproc.cache.near.eviction import EvictionOrder, EvictionPolicy, eviction_order


@dataclass(slots=True)
class _Holding:
    order: EvictionOrder
    entries: int = 0
    bytes: int = 0


class FairShare:
    """The holdings of all scopes in one tier; every operation takes constant time, whatever their number."""

    def __init__(self, share: float, *, max_entries: int, max_bytes: int, policy: EvictionPolicy) -> None:
        """`share`: of the tier's bounds, over 0 and at most 1; one entry is within every share."""
        self.entries: Final = max(1, int(share * max_entries))
        self.bytes: Final = int(share * max_bytes)
        self._policy: Final = policy
        self._holdings: Final[dict[Scope, _Holding]] = {}
        #: Those with more than a share: there cannot be many.
        self._over: Final[dict[Scope, _Holding]] = {}

    def add(self, scope: Scope, key: Fingerprint, size: int) -> None:
        """A scope's entry of so many bytes came in."""
        holding = self._holdings.get(scope)
        if holding is None:
            holding = self._holdings[scope] = _Holding(eviction_order(self._policy))
        holding.order.add(key)
        holding.entries += 1
        holding.bytes += size
        self._weigh(scope, holding)

    def use(self, scope: Scope, key: Fingerprint) -> None:
        """An entry that is there was a hit."""
        self._holdings[scope].order.use(key)

    def remove(self, scope: Scope, key: Fingerprint, size: int) -> None:
        """An entry that was there left."""
        holding = self._holdings[scope]
        holding.order.remove(key)
        holding.entries -= 1
        holding.bytes -= size
        self._weigh(scope, holding)
        if not holding.entries:
            del self._holdings[scope]

    def leaving(self, scope: Scope, size: int) -> Fingerprint | None:
        """Who makes room for a scope's new entry of so many bytes; None: no scope has too much."""
        own = self._holdings.get(scope)
        if own is not None and self._is_over(own.entries + 1, own.bytes + size):
            return Fingerprint(own.order.first())
        if not self._over:
            return None
        return Fingerprint(max(self._over.values(), key=self._weight).order.first())

    def _weigh(self, scope: Scope, holding: _Holding) -> None:
        if self._is_over(holding.entries, holding.bytes):
            self._over[scope] = holding
        else:
            self._over.pop(scope, None)

    def _is_over(self, entries: int, size: int) -> bool:
        return entries > self.entries or size > self.bytes

    def _weight(self, holding: _Holding) -> float:
        return max(holding.entries / self.entries, holding.bytes / max(1, self.bytes))
