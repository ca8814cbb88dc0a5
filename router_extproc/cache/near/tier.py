"""The near tier: entries in this process, found by fingerprint or by vector without any wait.

It is not shared with other workers. The rule it keeps: both bounds (entries and bytes) hold after
every store, and an expired entry is never returned, whatever tier it came from.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from router_extproc.cache.base import Entry, Fingerprint, Neighbour, Partition, Scope, Selector
from router_extproc.cache.freshness import is_expired, is_fresh
from router_extproc.cache.near.aliases import Aliases
from router_extproc.cache.near.eviction import EvictionPolicy, eviction_order
from router_extproc.cache.near.fair_share import FairShare
from router_extproc.cache.near.vectors import VectorIndex
from router_extproc.cache.select import selects
from router_extproc.clock import Clock
from router_extproc.models.base import Vector

#: What an entry costs beside its texts, answer and vector: objects, digests, orders of eviction and all the
#: aliases that it may have (measured as resident memory, rounded up).
ENTRY_OVERHEAD_BYTES = 2500
#: A number of a vector in the index: a byte, and the room that is kept to grow.
INDEX_BYTES_PER_NUMBER = 1.5


#: Entries whose time is over that leave with one call: nobody waits for the rest.
EXPIRED_AT_ONCE = 256


@dataclass(slots=True)
class NearCounters:
    """What the tier did since the start."""

    stored: int = 0
    evicted: int = 0
    #: Of these: not as the policy says, for their scope had more than its share.
    evicted_over_share: int = 0
    expired: int = 0
    purged: int = 0
    #: Entries larger than what one scope may have.
    refused: int = 0


@dataclass(slots=True)
class _Index:
    entries: dict[Fingerprint, Entry] = field(default_factory=dict)
    vectors: dict[Partition, VectorIndex] = field(default_factory=dict)
    #: (expires_s, fingerprint), soonest first; a replaced entry leaves a stale pair behind.
    expiries: list[tuple[float, Fingerprint]] = field(default_factory=list)


class NearTier:
    """Exact map and vectors, bounded by entries and bytes; not for use by several threads."""

    def __init__(
        self,
        clock: Clock,
        *,
        max_entries: int,
        max_bytes: int,
        policy: EvictionPolicy = "lru",
        scope_share_max: float = 1.0,
    ) -> None:
        """`max_bytes` is of the estimate `entry_bytes`; the share is of both bounds."""
        self._clock: Final = clock
        self.max_entries: Final = max_entries
        self._max_bytes: Final = max_bytes
        self._index = _Index()
        self._aliases: Final = Aliases()
        self._order: Final = eviction_order(policy)
        self._shares: Final = FairShare(
            scope_share_max, max_entries=max_entries, max_bytes=max_bytes, policy=policy
        )
        self._bytes = 0
        #: Makes larger indexes of vectors, one at a time; its thread ends with this tier.
        self._builder: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cache-index")
        self.counters = NearCounters()

    def __len__(self) -> int:
        return len(self._index.entries)

    def __contains__(self, fingerprint: Fingerprint) -> bool:
        return fingerprint in self._index.entries

    @property
    def bytes(self) -> int:
        """Estimated memory of all entries."""
        return self._bytes

    @property
    def is_growing(self) -> bool:
        """True while larger indexes are made; the next lookups in their partitions let them take over."""
        return any(vectors.is_growing for vectors in self._index.vectors.values())

    def get(self, fingerprint: Fingerprint) -> Entry | None:
        """The fresh entry of exactly this request, or the one that it is an alias of."""
        entry = self._index.entries.get(self._aliases.entry_of(fingerprint) or fingerprint)
        if entry is None:
            return None
        now_s = self._clock.wall_s()
        if is_expired(entry, now_s):
            self._drop([entry])
            self.counters.expired += 1
            return None
        return entry if is_fresh(entry, now_s) else None

    def search(self, partition: Partition, vector: Vector, *, limit: int) -> list[Neighbour]:
        """The nearest fresh entries of the partition, nearest first."""
        self._drop_expired()
        vectors = self._index.vectors.get(partition)
        if vectors is None:
            return []
        now_s = self._clock.wall_s()
        found = [(self._index.entries[key], near) for key, near in vectors.nearest(vector, limit=limit)]
        return [Neighbour(entry, similarity) for entry, similarity in found if is_fresh(entry, now_s)]

    def touch(self, fingerprint: Fingerprint) -> None:
        """An entry was a hit: `lru` and `lfu` keep it longer."""
        entry = self._index.entries.get(fingerprint)
        if entry is not None:
            self._order.use(fingerprint)
            self._shares.use(entry.scope, fingerprint)

    def alias(self, fingerprint: Fingerprint, entry: Entry) -> None:
        """Let `get` find an entry by the fingerprint of another request, as long as it is here."""
        if self._index.entries.get(entry.fingerprint) is entry and fingerprint not in self._index.entries:
            self._aliases.add(fingerprint, entry.fingerprint)

    def put(self, entry: Entry) -> None:
        """Store or replace; evicts until both bounds hold. Larger than a scope's share, it is refused."""
        size = entry_bytes(entry)
        self._aliases.forget(entry.fingerprint)
        self._remove_if_there(entry.fingerprint)
        if size > self._shares.bytes:
            self.counters.refused += 1
            return
        self._drop_expired()
        self._evict_for(entry.scope, size)
        self._insert(entry, size)

    def purge(self, selector: Selector) -> int:
        """Remove what the selector means; how many."""
        return self._remove_where(lambda entry: selects(selector, entry))

    def entries(self) -> Iterator[Entry]:
        """Every entry, expired ones included; not to be changed meanwhile."""
        return iter(self._index.entries.values())

    def _insert(self, entry: Entry, size: int) -> None:
        self._index.entries[entry.fingerprint] = entry
        self._order.add(entry.fingerprint)
        self._shares.add(entry.scope, entry.fingerprint, size)
        heapq.heappush(self._index.expiries, (entry.expires_s, entry.fingerprint))
        self._bytes += size
        self.counters.stored += 1
        if entry.vector is not None:
            self._vectors_of(entry.partition, len(entry.vector)).put(entry.fingerprint, entry.vector)

    def _vectors_of(self, partition: Partition, dim: int) -> VectorIndex:
        vectors = self._index.vectors.get(partition)
        if vectors is None:
            vectors = self._index.vectors[partition] = VectorIndex(dim, start=self._builder.submit)
        return vectors

    def _evict_for(self, scope: Scope, size: int) -> None:
        while len(self) >= self.max_entries or (self._bytes + size > self._max_bytes and len(self)):
            over_share = self._shares.leaving(scope, size)
            self._drop([self._index.entries[over_share or Fingerprint(self._order.first())]])
            self.counters.evicted += 1
            self.counters.evicted_over_share += over_share is not None

    def _drop_expired(self) -> None:
        now_s = self._clock.wall_s()
        expired: dict[Fingerprint, Entry] = {}
        while self._index.expiries and self._index.expiries[0][0] <= now_s and len(expired) < EXPIRED_AT_ONCE:
            _, fingerprint = heapq.heappop(self._index.expiries)
            entry = self._index.entries.get(fingerprint)
            if entry is not None and is_expired(entry, now_s):
                expired[fingerprint] = entry
        self._drop(expired.values())
        self.counters.expired += len(expired)

    def _remove_where(self, condition: Callable[[Entry], bool]) -> int:
        doomed = [entry for entry in self._index.entries.values() if condition(entry)]
        self._drop(doomed)
        self.counters.purged += len(doomed)
        return len(doomed)

    def _remove_if_there(self, fingerprint: Fingerprint) -> None:
        entry = self._index.entries.get(fingerprint)
        if entry is not None:
            self._drop([entry])

    def _drop(self, doomed: Collection[Entry]) -> None:
        by_partition: defaultdict[Partition, list[Fingerprint]] = defaultdict(list)
        for entry in doomed:
            del self._index.entries[entry.fingerprint]
            self._aliases.forget_entry(entry.fingerprint)
            self._order.remove(entry.fingerprint)
            size = entry_bytes(entry)
            self._shares.remove(entry.scope, entry.fingerprint, size)
            self._bytes -= size
            if entry.vector is not None:
                by_partition[entry.partition].append(entry.fingerprint)
        for partition, fingerprints in by_partition.items():
            self._drop_vectors(partition, fingerprints)
        self._shrink_expiries()

    def _drop_vectors(self, partition: Partition, fingerprints: list[Fingerprint]) -> None:
        vectors = self._index.vectors[partition]
        if len(vectors) == len(fingerprints):
            del self._index.vectors[partition]
        else:
            vectors.remove(fingerprints)

    def _shrink_expiries(self) -> None:
        # Replaced and evicted entries leave stale pairs: rebuilt before they outnumber the entries.
        if len(self._index.expiries) > 2 * len(self._index.entries) + 1024:
            self._index.expiries = [(e.expires_s, key) for key, e in self._index.entries.items()]
            heapq.heapify(self._index.expiries)


def entry_bytes(entry: Entry) -> int:
    """Estimated memory of one entry, its place in the index included."""
    vector_bytes = 0
    if entry.vector is not None:
        vector_bytes = entry.vector.nbytes + int(INDEX_BYTES_PER_NUMBER * entry.vector.size)
    return ENTRY_OVERHEAD_BYTES + len(entry.answer) + 4 * len(entry.prompt) + vector_bytes
