"""Lookups in the near tier and, where that may lack entries, in the backend.

Near comes before far, and there is no semantic hit without the verifier's verdict. What a lookup leaves in
the near tier (an entry that was used, fetched, or found for other words) goes through one value, its
`upkeep`: that of a lookup without traces does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

from router_extproc.cache.base import CacheBackend, Entry, Fingerprint, Neighbour
from router_extproc.cache.freshness import ANY_AGE, Freshness
from router_extproc.cache.judging import (
    CANDIDATES_MAX,
    RunBlocking,
    is_hopeless,
    judge_until_accepted,
    run_inline,
)
from router_extproc.cache.near.preload import Preload
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.purges import Purges
from router_extproc.cache.results import Found, Hit, Judged, Miss, Query
from router_extproc.cache.usable import Usable
from router_extproc.errors import CacheError
from router_extproc.models.base import Verifier


class Upkeep(Protocol):
    """What lookups change in the near tier, which fits it."""

    def touch(self, fingerprint: Fingerprint) -> None:
        """An entry was a hit."""
        ...

    def put(self, entry: Entry) -> None:
        """An entry of the backend was a hit."""
        ...

    def alias(self, fingerprint: Fingerprint, entry: Entry) -> None:
        """A semantic hit answered the request with this fingerprint."""
        ...


class _NoUpkeep:
    """Changes nothing. Fits Upkeep."""

    def touch(self, fingerprint: Fingerprint) -> None:
        """See Upkeep."""

    def put(self, entry: Entry) -> None:
        """See Upkeep."""

    def alias(self, fingerprint: Fingerprint, entry: Entry) -> None:
        """See Upkeep."""


#: Of lookups that leave nothing behind.
NO_UPKEEP: Final[Upkeep] = _NoUpkeep()


@dataclass(slots=True)
class LookupCounters:
    """What lookups met since the start."""

    #: The backend did not answer.
    backend_errors: int = 0
    #: Searches that were not asked of the backend while it was read.
    skipped_while_read: int = 0


@dataclass(frozen=True, slots=True)
class TieredLookup:
    """Fits results.CacheLookup."""

    near: NearTier
    #: None: the near tier is the whole cache.
    backend: CacheBackend | None
    #: None: the backend cannot list its entries, so the near tier is never known to be complete.
    preload: Preload | None
    verifier: Verifier
    purges: Purges
    usable: Usable
    upkeep: Upkeep
    run_blocking: RunBlocking = run_inline
    counters: LookupCounters = field(default_factory=LookupCounters)

    def read_only(self) -> TieredLookup:
        """See CacheLookup."""
        return replace(self, upkeep=NO_UPKEEP, counters=LookupCounters())

    def exact_near(self, fingerprint: Fingerprint, wanted: Freshness = ANY_AGE) -> Hit | None:
        """See CacheLookup."""
        entry = self.near.get(fingerprint)
        if entry is None or not self.usable(entry, wanted):
            return None
        self.upkeep.touch(entry.fingerprint)
        return Hit(entry, "exact", similarity=1.0, score=1.0, tier="near")

    async def exact(self, fingerprint: Fingerprint, wanted: Freshness = ANY_AGE) -> Found:
        """See CacheLookup."""
        hit = self.exact_near(fingerprint, wanted)
        if hit is not None or self.backend is None or self.near_is_complete:
            return hit or Miss("absent")
        if not self.purges.caught_up:
            return Miss("backend")
        try:
            entry = await self.backend.get(fingerprint)
        except CacheError:
            return self._unanswered()
        if entry is None or not self.usable(entry, wanted):
            return Miss("absent")
        self.upkeep.put(entry)
        return Hit(entry, "exact", similarity=1.0, score=1.0, tier="backend")

    async def semantic(self, query: Query) -> Found:
        """See CacheLookup."""
        near = self.near.search(query.partition, query.vector, limit=CANDIDATES_MAX)
        found = await self._judge(query, near, "near")
        if isinstance(found, Hit):
            self.upkeep.touch(found.entry.fingerprint)
            return found
        if self.backend is None or self.near_is_complete:
            return found
        return await self._semantic_far(query, self.backend, found.judged)

    def note(self, fingerprint: Fingerprint, hit: Hit) -> None:
        """See CacheLookup; as long as the hit's entry is near."""
        self.upkeep.alias(fingerprint, hit.entry)

    @property
    def near_is_complete(self) -> bool:
        """The near tier holds all that the backend holds."""
        return self.preload is not None and self.preload.near_is_complete

    async def _semantic_far(self, query: Query, backend: CacheBackend, judged: tuple[Judged, ...]) -> Found:
        if not self.purges.caught_up:
            return Miss("backend", judged)
        if self.preload is not None and self.preload.is_reading:
            self.counters.skipped_while_read += 1
            return Miss("backend", judged)
        try:
            far = await backend.search(query.scope, query.partition, query.vector, limit=CANDIDATES_MAX)
        except CacheError:
            return self._unanswered(judged)
        known = {each.neighbour.entry.fingerprint for each in judged}
        fresh = [
            neighbour
            for neighbour in far
            if neighbour.entry.fingerprint not in known and not is_hopeless(neighbour, judged)
        ]
        found = await self._judge(query, fresh, "backend")
        if isinstance(found, Hit):
            self.upkeep.put(found.entry)
            return replace(found, judged=judged + found.judged)
        return _miss(judged + found.judged)

    async def _judge(
        self, query: Query, neighbours: Iterable[Neighbour], tier: Literal["near", "backend"]
    ) -> Found:
        candidates = [
            neighbour
            for neighbour in neighbours
            if neighbour.similarity >= query.similarity_min and self.usable(neighbour.entry, query.freshness)
        ][:CANDIDATES_MAX]
        if not candidates:
            return Miss("absent")
        judged = await self.run_blocking(lambda: judge_until_accepted(self.verifier, query, candidates))
        last = judged[-1]
        # An operator may have purged it while it was verified.
        if not last.verdict.accepted or self.purges.cover(last.neighbour.entry):
            return _miss(judged)
        nearest = last.neighbour
        return Hit(nearest.entry, "semantic", nearest.similarity, last.verdict.score, tier, judged)

    def _unanswered(self, judged: tuple[Judged, ...] = ()) -> Miss:
        self.counters.backend_errors += 1
        return Miss("backend", judged)


def _miss(judged: tuple[Judged, ...]) -> Miss:
    return Miss("refused" if judged else "absent", judged)
