"""The semantic cache: near tier, backend and verifier as one, with its lookups, stores, purges and state.

A stored entry is in the near tier at once, and in the backend soon. A purge holds from the moment that it is
asked for, whatever the backend still returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, replace
from typing import Final, Self

from router_extproc.cache.base import (
    CacheBackend,
    Entry,
    EntrySource,
    Fingerprint,
    PurgeLog,
    Selector,
    WriteFeed,
)
from router_extproc.cache.judging import RunBlocking, run_inline
from router_extproc.cache.near.preload import Preload
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.purges import Purges
from router_extproc.cache.results import CacheState, Found, Hit, Judged, Kept, Miss, Query
from router_extproc.cache.select import selects
from router_extproc.cache.tiered_lookup import TieredLookup
from router_extproc.cache.usable import Usable
from router_extproc.cache.write_queue import LIMITS, QueueLimits, WriteQueue
from router_extproc.cancellation import end_tasks
from router_extproc.clock import Clock
from router_extproc.errors import CacheError
from router_extproc.models.base import Verifier

__all__ = ["CacheState", "Found", "Hit", "Judged", "Kept", "Miss", "Query", "SemanticCache"]

#: Entries that are listed before requests have their turn.
ENTRIES_AT_ONCE = 500
#: Entries of the backend that are listed at most.
LISTED_MAX = 100_000_000
#: Seconds that a start waits to read what was purged before it; until it has, the backend is not asked.
CATCH_UP_S = 2.0
#: Seconds that `aclose` goes on writing what is queued.
CLOSE_S = 5.0


class SemanticCache:
    """Owns the near tier and the queue in front of the backend; the backend belongs to the caller."""

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
        queue_limits: QueueLimits = LIMITS,
    ) -> None:
        """Without a backend the near tier is the whole cache. To be made where the event loop runs.

        source: the same backend, where it can list what it holds.
        purge_log: where the processes that share the backend tell each other of purges.
        write_feed: what the other processes write.
        """
        self._near: Final = near
        self._backend: Final = backend
        self._queue: Final = None if backend is None else WriteQueue(backend, limits=queue_limits)
        self._source: Final = source
        self._purges: Final = Purges(clock, purge_log)
        self._usable: Final = Usable(clock, self._purges)
        self._preload: Final = (
            None if source is None else Preload(near, source, self._usable, clock, feed=write_feed)
        )
        self.lookup: Final = TieredLookup(
            near, backend, self._preload, verifier, self._purges, self._usable, near, run_blocking
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._purged_in_flight = 0

    async def __aenter__(self) -> Self:
        self.start()
        await self._purges.first_try(wait_s=CATCH_UP_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def start(self) -> None:
        """Start writing what is stored, and the preload of the near tier; both go on in the background."""
        if self._tasks:
            return
        if self._queue is not None:
            self._tasks.add(asyncio.create_task(self._queue.run(), name="cache-writer"))
            self._tasks.add(asyncio.create_task(self._purges.listen(self._follow), name="cache-purges"))
        if self._preload is not None:
            self._tasks.add(asyncio.create_task(self._run_preload(self._preload), name="cache-preload"))

    async def aclose(self) -> None:
        """Stop, and write what is queued, within CLOSE_S; the backend stays open."""
        tasks, self._tasks = self._tasks, set()
        await end_tasks(tasks)
        if self._queue is None:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._queue.drain()
        except (CacheError, TimeoutError):
            self.lookup.counters.backend_errors += 1

    @property
    def queued(self) -> int:
        """Entries that wait to be written."""
        return 0 if self._queue is None else len(self._queue)

    def store(
        self, entry: Entry, *, started_s: float | None = None, alias: Fingerprint | None = None
    ) -> Kept:
        """Keep an entry: at once in the near tier, soon in the backend.

        started_s: when its request was forwarded (wall clock); purged since then, it is not kept.
        alias: of a request that finds it in the near tier, too.
        """
        begun_s = entry.created_s if started_s is None else min(started_s, entry.created_s)
        if self.is_purged(replace(entry, created_s=begun_s)):
            self._purged_in_flight += 1
            return "purged"
        self._near.put(entry)
        if alias is not None:
            self._near.alias(alias, entry)
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
        """True when a purge that this process knows of means it: it is never answered with again."""
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

    async def state(self) -> CacheState:
        """What it holds and did; never raises."""
        counters = {f"near_{name}": count for name, count in asdict(self._near.counters).items()}
        counters["backend_errors"] = self.lookup.counters.backend_errors
        counters["backend_skipped_while_read"] = self.lookup.counters.skipped_while_read
        counters["purges_in_flight"] = self._purged_in_flight
        counters["purges_heard"] = self._purges.heard
        counters["purges_unheard"] = self._purges.unheard
        if self._queue is not None:
            counters |= {f"queue_{name}": count for name, count in asdict(self._queue.counters).items()}
        return CacheState(
            near_entries=len(self._near),
            near_bytes=self._near.bytes,
            near_is_complete=self.lookup.near_is_complete,
            queued=self.queued,
            backend=None if self._backend is None else await self._backend.state(),
            counters=counters,
        )

    async def _run_preload(self, preload: Preload) -> None:
        await self._purges.catch_up()
        await preload.run()

    async def _follow(self, selector: Selector) -> None:
        """Do here what another process was asked for, its deletion too: we may have written since."""
        self._near.purge(selector)
        if self._queue is not None:
            await self._queue.purge(selector)
