"""Lookups: the near tier first, then the backend; a candidate is a hit when the verifier accepts it.

What a lookup changes (the order of eviction, copies of what the backend has, aliases, counters) is apart from
what it finds, so that a request can be explained without a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

from router_extproc.cache.base import CacheBackend, Entry, Fingerprint, Neighbour
from router_extproc.cache.freshness import ANY_AGE, Freshness, is_fresh
from router_extproc.cache.judging import CANDIDATES_MAX, RunBlocking, judge_until_accepted
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.purges import Purges
from router_extproc.cache.results import CacheLookup, Found, Hit, Judged, Miss, Query
from router_extproc.clock import Clock
from router_extproc.errors import CacheError
from router_extproc.models.base import Verifier


@dataclass(frozen=True, slots=True)
class Tiers:
    """Where lookups look; one for each cache, open as long as that."""

    clock: Clock
    near: NearTier
    verifier: Verifier
    backend: CacheBackend | None
    purges: Purges
    run_blocking: RunBlocking
    #: The near tier holds all that the backend holds: that one is not asked.
    near_is_complete: Callable[[], bool]
    #: The backend is being read for the near tier: it has no time for searches.
    is_reading: Callable[[], bool]

    def usable(self, entry: Entry, wanted: Freshness = ANY_AGE) -> bool:
        """True for what may be an answer: fresh as wanted, and not purged."""
        return is_fresh(entry, self.clock.wall_s(), wanted) and not self.purges.cover(entry)


class Effects(Protocol):
    """What a lookup changes."""

    def used(self, entry: Entry) -> None:
        """The entry of the near tier is a hit."""
        ...

    def fetched(self, entry: Entry) -> None:
        """The entry of the backend is a hit."""
        ...

    def answered(self, fingerprint: Fingerprint, entry: Entry) -> None:
        """The entry is the answer to another request, too."""
        ...

    def unanswered(self) -> None:
        """The backend did not answer."""
        ...

    def skipped(self) -> None:
        """The backend was not searched, because it is being read."""
        ...


class NearEffects:
    """The effects of a client's request."""

    def __init__(self, near: NearTier) -> None:
        self._near: Final = near
        self.backend_errors = 0
        self.skipped_while_read = 0

    def used(self, entry: Entry) -> None:
        """See Effects."""
        self._near.touch(entry.fingerprint)

    def fetched(self, entry: Entry) -> None:
        """See Effects."""
        self._near.put(entry)

    def answered(self, fingerprint: Fingerprint, entry: Entry) -> None:
        """See Effects."""
        self._near.alias(fingerprint, entry)

    def unanswered(self) -> None:
        """See Effects."""
        self.backend_errors += 1

    def skipped(self) -> None:
        """See Effects."""
        self.skipped_while_read += 1


class NoEffects:
    """Those of a request that is only explained."""

    def used(self, entry: Entry) -> None:
        """See Effects."""

    def fetched(self, entry: Entry) -> None:
        """See Effects."""

    def answered(self, fingerprint: Fingerprint, entry: Entry) -> None:
        """See Effects."""

    def unanswered(self) -> None:
        """See Effects."""

    def skipped(self) -> None:
        """See Effects."""


class Lookups:
    """Looks entries up; fits `CacheLookup`."""

    def __init__(self, tiers: Tiers, effects: Effects) -> None:
        self._tiers: Final = tiers
        self._effects: Final = effects

    def without_traces(self) -> CacheLookup:
        """See CacheLookup."""
        return Lookups(self._tiers, NoEffects())

    def exact_near(self, fingerprint: Fingerprint, wanted: Freshness = ANY_AGE) -> Hit | None:
        """See CacheLookup."""
        entry = self._tiers.near.get(fingerprint)
        if entry is None or not self._tiers.usable(entry, wanted):
            return None
        self._effects.used(entry)
        return Hit(entry, "exact", similarity=1.0, score=1.0, tier="near")

    async def exact(self, fingerprint: Fingerprint, wanted: Freshness = ANY_AGE) -> Found:
        """See CacheLookup."""
        tiers, hit = self._tiers, self.exact_near(fingerprint, wanted)
        if hit is not None or tiers.backend is None or tiers.near_is_complete():
            return hit or Miss("absent")
        if not tiers.purges.caught_up:
            return Miss("backend")
        try:
            entry = await tiers.backend.get(fingerprint)
        except CacheError:
            return self._unanswered()
        if entry is None or not tiers.usable(entry, wanted):
            return Miss("absent")
        self._effects.fetched(entry)
        return Hit(entry, "exact", similarity=1.0, score=1.0, tier="backend")

    async def semantic(self, query: Query) -> Found:
        """See CacheLookup."""
        tiers = self._tiers
        near = tiers.near.search(query.partition, query.vector, limit=CANDIDATES_MAX)
        found = await self._judge(query, near, "near")
        if isinstance(found, Hit):
            self._effects.used(found.entry)
            return found
        if tiers.backend is None or tiers.near_is_complete():
            return found
        return await self._semantic_far(query, tiers.backend, found.judged)

    def note(self, fingerprint: Fingerprint, hit: Hit) -> None:
        """See CacheLookup; as long as the hit's entry is near."""
        self._effects.answered(fingerprint, hit.entry)

    async def _semantic_far(self, query: Query, backend: CacheBackend, judged: tuple[Judged, ...]) -> Found:
        if not self._tiers.purges.caught_up:
            return Miss("backend", judged)
        if self._tiers.is_reading():
            self._effects.skipped()
            return Miss("backend", judged)
        try:
            far = await backend.search(query.scope, query.partition, query.vector, limit=CANDIDATES_MAX)
        except CacheError:
            return self._unanswered(judged)
        known = {each.neighbour.entry.fingerprint for each in judged}
        fresh = [neighbour for neighbour in far if neighbour.entry.fingerprint not in known]
        found = await self._judge(query, fresh, "backend")
        if isinstance(found, Hit):
            self._effects.fetched(found.entry)
            return replace(found, judged=judged + found.judged)
        return _miss(judged + found.judged)

    async def _judge(
        self, query: Query, neighbours: Iterable[Neighbour], tier: Literal["near", "backend"]
    ) -> Found:
        tiers = self._tiers
        candidates = [
            neighbour
            for neighbour in neighbours
            if neighbour.similarity >= query.similarity_min and tiers.usable(neighbour.entry, query.freshness)
        ][:CANDIDATES_MAX]
        if not candidates:
            return Miss("absent")
        judged = await tiers.run_blocking(lambda: judge_until_accepted(tiers.verifier, query, candidates))
        last = judged[-1]
        if not last.verdict.accepted or tiers.purges.cover(last.neighbour.entry):
            return _miss(judged)
        nearest = last.neighbour
        return Hit(nearest.entry, "semantic", nearest.similarity, last.verdict.score, tier, judged)

    def _unanswered(self, judged: tuple[Judged, ...] = ()) -> Miss:
        self._effects.unanswered()
        return Miss("backend", judged)


def _miss(judged: tuple[Judged, ...]) -> Miss:
    return Miss("refused" if judged else "absent", judged)
