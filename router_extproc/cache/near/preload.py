"""Preload: fills the near tier from the backend, and says that it is complete only while it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from router_extproc.cache.base import Entry, EntrySource, FeedGap, WriteFeed
from router_extproc.cache.near.tier import NearTier
from router_extproc.clock import Clock
from router_extproc.errors import CacheError

#: Pauses between attempts while the backend does not answer: doubled from the first to the last.
RETRY_FIRST_S = 0.25
RETRY_LAST_S = 8.0
#: How often it is asked what others wrote.
FOLLOW_EVERY_S = 0.25
#: Asked longer ago, the near tier does not count as complete.
FOLLOWED_WITHIN_S = 2.0


class Preload:
    """Reads one backend into one near tier."""

    def __init__(
        self,
        near: NearTier,
        source: EntrySource,
        usable: Callable[[Entry], bool],
        clock: Clock,
        *,
        feed: WriteFeed | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`usable`: false for entries that were purged meanwhile; `pause` waits between attempts.

        feed: what other processes write; without one the near tier is complete only if there are no others.
        """
        self._near: Final = near
        self._source: Final = source
        self._usable: Final = usable
        self._clock: Final = clock
        self._feed: Final = feed
        self._pause: Final = pause
        self._done = False
        self._is_reading = False
        self._followed_at_s = 0.0
        self._latest_s = clock.wall_s()
        #: Entries that the near tier could not keep, when this process started.
        self._lost_before: Final = self._lost

    @property
    def near_is_complete(self) -> bool:
        """True while lookups need not ask the backend.

        All of it was read, what others write is followed, or there are none, and the near tier has not
        given up an entry since.
        """
        read = self._done and self._lost == self._lost_before and (self._source.exclusive or self._follows)
        return read and not self._clock_went_back

    @property
    def _clock_went_back(self) -> bool:
        """True until the wall clock is where it was: what seemed expired and was given up is fresh again."""
        self._latest_s = max(self._latest_s, now_s := self._clock.wall_s())
        return now_s < self._latest_s

    @property
    def is_reading(self) -> bool:
        """True while the backend is being read, and the near tier is complete soon.

        Searches that are asked of Milvus Lite meanwhile would only keep it from being read.
        """
        complete_soon = self._source.exclusive or self._feed is not None
        return self._is_reading and complete_soon and self._lost == self._lost_before

    @property
    def _follows(self) -> bool:
        late_s = self._clock.monotonic_s() - self._followed_at_s
        return self._feed is not None and late_s <= FOLLOWED_WITHIN_S

    async def run(self) -> None:
        """Read the backend, from the beginning when it stops answering; then follow what others write."""
        await self._read_until_done()
        while self._feed is not None and self._lost == self._lost_before:
            await self._pause(FOLLOW_EVERY_S)
            await self._follow(self._feed)

    async def _read_until_done(self) -> None:
        retry_s, self._is_reading = RETRY_FIRST_S, True
        while not self._done:
            try:
                await self._read()
                self._done = True
            except CacheError:
                await self._pause(retry_s)
                retry_s = min(2 * retry_s, RETRY_LAST_S)
        self._is_reading = False

    async def _read(self) -> None:
        began_s = self._clock.monotonic_s()
        if self._feed is not None:
            # First: what is written while we read is told, too.
            await self._feed.begin()
        # One more than fits: a backend that holds more makes the near tier evict, and so incomplete.
        async for page in self._source.entries(limit=self._near.max_entries + 1):
            self._take(page)
            # One page at a time: requests go first.
            await asyncio.sleep(0)
        self._followed_at_s = began_s

    async def _follow(self, feed: WriteFeed) -> None:
        asked_s = self._clock.monotonic_s()
        try:
            self._take(await feed.news())
        except FeedGap:
            self._done = False
            await self._read_until_done()
            return
        except CacheError:
            return  # what was missed is told by the next answer
        self._followed_at_s = asked_s

    def _take(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if self._is_newer(entry) and self._usable(entry):
                self._near.put(entry)

    def _is_newer(self, entry: Entry) -> bool:
        if entry.fingerprint not in self._near:
            return True
        known = self._near.get(entry.fingerprint)
        return known is None or known.created_s < entry.created_s

    @property
    def _lost(self) -> int:
        return self._near.counters.evicted + self._near.counters.refused
