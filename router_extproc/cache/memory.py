"""The backend that keeps entries in this process's memory: for one worker, and for tests.

Not shared, and lost at a restart; otherwise it behaves as `CacheBackend` says, like every backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from router_extproc.cache.base import BackendState, Entry, Fingerprint, Neighbour, Partition, Scope, Selector
from router_extproc.cache.near.tier import NearTier
from router_extproc.models.base import Vector


class MemoryCache:
    """A `CacheBackend` over a tier of its own, bounded and evicting as that tier does."""

    def __init__(self, tier: NearTier) -> None:
        """`tier` is used by this backend only."""
        self._tier: Final = tier

    async def get(self, fingerprint: Fingerprint) -> Entry | None:
        """See CacheBackend."""
        entry = self._tier.get(fingerprint)
        if entry is not None:
            self._tier.touch(fingerprint)
        return entry

    async def search(
        self,
        scope: Scope,  # noqa: ARG002 - partitions are of one scope each
        partition: Partition,
        vector: Vector,
        *,
        limit: int,
    ) -> Sequence[Neighbour]:
        """See CacheBackend."""
        return self._tier.search(partition, vector, limit=limit)

    async def put(self, entries: Sequence[Entry]) -> None:
        """See CacheBackend."""
        for entry in entries:
            self._tier.put(entry)

    async def purge(self, selector: Selector) -> int:
        """See CacheBackend."""
        return self._tier.purge(selector)

    async def state(self) -> BackendState:
        """See CacheBackend."""
        return BackendState(ready=True, entries=len(self._tier), counters=asdict(self._tier.counters))
