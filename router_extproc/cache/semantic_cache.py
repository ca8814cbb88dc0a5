"""The semantic cache as the pipeline sees it: near tier, backend and verifier as one.

It is not a policy of routing and renders nothing. The rule it keeps: exact before semantic, near
before far, and no semantic hit without a verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Final, Literal, Self

from router_extproc.cache.base import (
    CacheBackend,
    Entry,
    EntrySource,
    Fingerprint,
    Neighbour,
    PurgeLog,
    Selector,
    WriteFeed,
)
from router_extproc.cache.freshness import ANY_AGE, Freshness, is_fresh
from router_extproc.cache.judging import CANDIDATES_MAX, RunBlocking, judge_until_accepted, run_inline
from router_extproc.cache.near.preload import Preload
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.purges import Purges
from router_extproc.cache.results import CacheState, Found, Hit, Judged, Kept, Miss, Query
from router_extproc.cache.select import selects
from router_extproc.cache.write_queue import WriteQueue
from router_extproc.clock import Clock
from router_extproc.errors import CacheError
from router_extproc.models.base import Verifier

__all__ = ["CacheState", "Found", "Hit", "Judged", "Kept", "Miss", "Query", "SemanticCache"]

#: Entries told without giving way to requests.
ENTRIES_AT_ONCE = 500
#: Entries of the backend that `entries` tells at most.
LISTED_MAX = 100_000_000
#: How long a start waits to hear what was purged before it; until it has, the backend is not asked.
CATCH_UP_S = 2.0
#: How long `aclose` goes on writing what is queued.
CLOSE_S = 5.0


class SemanticCache:
    """Owns the near tier and the queue in front of the backend; the backend belongs to the caller.

    Every lookup may be cancelled at any await and leaves nothing half done.
    """

    def __init__(
        self,
        clock: Clock,
        near: NearTier,
        verifier: Verifier,
        *,
        backend: CacheBackend | None = None,
        source: EntrySource | None = None,
        purge_log: PurgeLog | None = None,
        write_feed: WriteFeed | None = None,
        run_blocking: RunBlocking = run_inline,
    ) -> None:
        """Without a backend the near tier is the whole cache. To be made where the event loop runs.

        source: the same backend, where it can tell what it holds.
        purge_log: where the processes that share the backend tell each other of purges.
        write_feed: what they write there.
        """
        self._clock: Final = clock
        self._near: Final = near
        self._verifier: Final = verifier
        self._backend: Final = backend
        self._queue: Final = None if backend is None else WriteQueue(backend)
        self._warming: Final = (
            None if source is None else Preload(near, source, self._usable, clock, feed=write_feed)
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._run_blocking: Final = run_blocking
        self._purges: Final = Purges(clock, purge_log)
        self._source: Final = source
        self._backend_errors = 0
        self._latest_s = clock.wall_s()
        self._purged_in_flight = 0
        self._skipped_while_read = 0

    async def __aenter__(self) -> Self:
        self.start()
        await self._purges.first_try(wait_s=CATCH_UP_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def start(self) -> None:
        """Start writing what is stored, and warming the near tier; both go on in the background."""
        if self._tasks:
            return
        if self._queue is not None:
            self._tasks.add(asyncio.create_task(self._queue.run(), name="cache-writer"))
            self._tasks.add(asyncio.create_task(self._purges.listen(self._follow), name="cache-purges"))
        if self._warming is not None:
            self._tasks.add(asyncio.create_task(self._warm(self._warming), name="cache-warming"))

    async def aclose(self) -> None:
        """Stop, and write what is queued, within CLOSE_S; the backend stays open."""
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._queue is None:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._queue.drain()
        except (CacheError, TimeoutError):
            self._backend_errors += 1

    @property
    def queued(self) -> int:
        """Entries that wait to be written."""
        return 0 if self._queue is None else len(self._queue)

    def exact_near(self, fingerprint: Fingerprint, wanted: Freshness = ANY_AGE) -> Hit | None:
        """The exact hit of the near tier, without any wait."""
        entry = self._near.get(fingerprint)
        if entry is None or not self._usable(entry, wanted):
            return None
        self._near.touch(entry.fingerprint)
        return Hit(entry, "exact", similarity=1.0, score=1.0, tier="near")

    async def exact(self, fingerprint: Fingerprint, wanted: Freshness = ANY_AGE) -> Found:
        """The exact hit of the near tier, or else of the backend; needs no inference."""
        hit = self.exact_near(fingerprint, wanted)
        if hit is not None or self._backend is None or self._near_is_complete:
            return hit or Miss("absent")
        if not self._purges.caught_up:
            return Miss("backend")
        try:
            entry = await self._backend.get(fingerprint)
        except CacheError:
            return self._unanswered()
        if entry is None or not self._usable(entry, wanted):
            return Miss("absent")
        self._near.put(entry)
        return Hit(entry, "exact", similarity=1.0, score=1.0, tier="backend")

    async def semantic(self, query: Query) -> Found:
        """The nearest entry that the verifier accepts, of the near tier or else of the backend."""
        near = self._near.search(query.partition, query.vector, limit=CANDIDATES_MAX)
        found = await self._judge(query, near, "near")
        if isinstance(found, Hit):
            self._near.touch(found.entry.fingerprint)
            return found
        if self._backend is None or self._near_is_complete:
            return found
        return await self._semantic_far(query, self._backend, found.judged)

    async def _semantic_far(self, query: Query, backend: CacheBackend, judged: tuple[Judged, ...]) -> Found:
        if not self._purges.caught_up:
            return Miss("backend", judged)
        if self._warming is not None and self._warming.is_reading:
            self._skipped_while_read += 1
            return Miss("backend", judged)
        try:
            far = await backend.search(query.scope, query.partition, query.vector, limit=CANDIDATES_MAX)
        except CacheError:
            return self._unanswered(judged)
        known = {each.neighbour.entry.fingerprint for each in judged}
        fresh = [neighbour for neighbour in far if neighbour.entry.fingerprint not in known]
        found = await self._judge(query, fresh, "backend")
        if isinstance(found, Hit):
            self._near.put(found.entry)
            return replace(found, judged=judged + found.judged)
        return _miss(judged + found.judged)

    async def _judge(
        self, query: Query, neighbours: Iterable[Neighbour], tier: Literal["near", "backend"]
    ) -> Found:
        candidates = [
            neighbour
            for neighbour in neighbours
            if neighbour.similarity >= query.similarity_min and self._usable(neighbour.entry, query.freshness)
        ][:CANDIDATES_MAX]
        if not candidates:
            return Miss("absent")
        judged = await self._run_blocking(lambda: judge_until_accepted(self._verifier, query, candidates))
        last = judged[-1]
        if not last.verdict.accepted or self.is_purged(last.neighbour.entry):
            return _miss(judged)
        nearest = last.neighbour
        return Hit(nearest.entry, "semantic", nearest.similarity, last.verdict.score, tier, judged)

    def note(self, fingerprint: Fingerprint, hit: Hit) -> None:
        """Make the request that a semantic hit answered an exact hit, while the hit's entry is near."""
        self._near.alias(fingerprint, hit.entry)

    def store(self, entry: Entry, *, started_s: float | None = None) -> Kept:
        """Keep an entry: at once in the near tier, soon in the backend.

        started_s: when its request was forwarded (wall clock); purged since then, it is not kept.
        """
        begun_s = entry.created_s if started_s is None else min(started_s, entry.created_s)
        if self.is_purged(replace(entry, created_s=begun_s)):
            self._purged_in_flight += 1
            return "purged"
        self._near.put(entry)
        return "stored" if self._queue is None or self._queue.offer(entry) else "near-only"

    async def keep(self, entries: Sequence[Entry]) -> int:
        """Store entries and wait until the backend has them, too; how many it took.

        Raises:
            CacheError: the backend does not answer; this process has all of them.
        """
        for entry in entries:
            self._near.put(entry)
        return len(entries) if self._queue is None else await self._queue.write(entries)

    async def entries(self, selector: Selector) -> AsyncIterator[Entry]:
        """Every usable entry that is meant, of this process and of the backend, each once, in no order.

        Raises:
            CacheError: the backend stopped answering, or what was purged is not known yet.
        """
        near = [entry for entry in self._near.entries() if selects(selector, entry)]
        for number, entry in enumerate(near):
            if self._usable(entry):
                yield entry
            if number % ENTRIES_AT_ONCE == 0:
                await asyncio.sleep(0)
        if self._source is None:
            return
        self._purges.require_caught_up()
        known = {entry.fingerprint for entry in near}
        async for page in self._source.entries(limit=LISTED_MAX, selector=selector):
            for entry in page:
                if entry.fingerprint not in known and self._usable(entry):
                    yield entry

    def is_purged(self, entry: Entry) -> bool:
        """True when this process was told to purge it, and so answers with it no more."""
        return self._purges.cover(entry)

    async def purge(self, selector: Selector) -> int:
        """Remove what the selector means from every tier and process; how many, as far as is known.

        This process answers with none of them from now on, even when the backend fails.

        Raises:
            CacheError: the backend could not purge, or the other processes could not be told.
        """
        self._purges.remember(selector)
        here = self._near.purge(selector)
        try:
            # First, and not only when Milvus has deleted: others stop answering within a second.
            await self._purges.announce(selector)
        finally:
            there = 0 if self._queue is None else await self._queue.purge(selector)
        return max(here, there)

    async def _warm(self, warming: Preload) -> None:
        await self._purges.catch_up()
        await warming.run()

    async def _follow(self, selector: Selector) -> None:
        """Do here what another process was asked for, its deletion too: we may have written since."""
        self._near.purge(selector)
        if self._queue is not None:
            await self._queue.purge(selector)

    async def state(self) -> CacheState:
        """What it holds and did; never raises."""
        counters = {f"near_{name}": count for name, count in asdict(self._near.counters).items()}
        counters["backend_errors"] = self._backend_errors
        counters["backend_skipped_while_read"] = self._skipped_while_read
        counters["purges_in_flight"] = self._purged_in_flight
        counters["purges_heard"] = self._purges.heard
        counters["purges_unheard"] = self._purges.unheard
        if self._queue is not None:
            counters |= {f"queue_{name}": count for name, count in asdict(self._queue.counters).items()}
        return CacheState(
            near_entries=len(self._near),
            near_bytes=self._near.bytes,
            near_is_complete=self._near_is_complete,
            queued=self.queued,
            backend=None if self._backend is None else await self._backend.state(),
            counters=counters,
        )

    @property
    def _near_is_complete(self) -> bool:
        if self._warming is None or not self._warming.near_is_complete:
            return False
        # A clock that went ahead and came back: what seemed expired and was given up is fresh again.
        self._latest_s = max(self._latest_s, now_s := self._clock.wall_s())
        return now_s >= self._latest_s

    def _usable(self, entry: Entry, wanted: Freshness = ANY_AGE) -> bool:
        fresh = is_fresh(entry, self._clock.wall_s(), wanted)
        return fresh and not self.is_purged(entry)

    def _unanswered(self, judged: tuple[Judged, ...] = ()) -> Miss:
        self._backend_errors += 1
        return Miss("backend", judged)


def _miss(judged: tuple[Judged, ...]) -> Miss:
    return Miss("refused" if judged else "absent", judged)
