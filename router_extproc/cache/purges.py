"""Purges: remembered here, announced to the other processes, and read from them.

As soon as this process knows of a purge, no entry from before it is returned or stored here, whatever the
backend still returns. Until it has read the purges from before its start, it is not `caught_up`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from router_extproc.cache.base import Announcement, Entry, PurgeLog, Selector
from router_extproc.cache.select import selects
from router_extproc.clock import Clock
from router_extproc.errors import CacheError

#: Purges that this process remembers, to hide what a slow backend still returns.
PURGES_REMEMBERED_MAX = 256
#: How often the others are listened to; with the time of one query, well within the second promised.
LISTEN_EVERY_S = 0.25

CarryOut = Callable[[Selector], Awaitable[object]]


class Purges:
    """The purges of one process, its own and those it heard of."""

    def __init__(
        self,
        clock: Clock,
        log: PurgeLog | None = None,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Without a log purges stay in this process; `pause` waits between two readings of the log."""
        self._clock: Final = clock
        self._log: Final = log
        self._pause: Final = pause
        self._remembered: Final[deque[Selector]] = deque(maxlen=PURGES_REMEMBERED_MAX)
        self._began_s: Final = clock.wall_s()
        self._tried: Final = asyncio.Event()
        self._caught_up: Final = asyncio.Event()
        if log is None:
            self._caught_up.set()
        #: Purges of others, those from before this process included.
        self.heard = 0
        #: Times that the others could not be listened to, or that what they purged could not be deleted here.
        self.unheard = 0

    @property
    def caught_up(self) -> bool:
        """True when all purges from before this process are known, and so the backend may be asked."""
        return self._caught_up.is_set()

    def require_caught_up(self) -> None:
        """Raise CacheError unless `caught_up`."""
        if not self.caught_up:
            raise CacheError("cache", "what was purged before the start is not known yet")

    async def catch_up(self) -> None:
        """Return when `caught_up`, however long that takes."""
        await self._caught_up.wait()

    def cover(self, entry: Entry) -> bool:
        """True when the entry was purged."""
        return any(selects(purge, entry) for purge in self._remembered)

    def remember(self, selector: Selector) -> None:
        """Cover what the selector means and is there by now."""
        self._remembered.append(Announcement(selector, self._clock.wall_s()).meant)

    async def announce(self, selector: Selector) -> None:
        """Tell the others, those too that start later.

        Raises:
            CacheError: they could not be told.
        """
        if self._log is not None:
            await self._log.announce(Announcement(selector, self._clock.wall_s()))

    async def listen(self, carry_out: CarryOut) -> None:
        """Carry out what others announce, each covered already, until cancelled."""
        if self._log is None:
            return
        while True:
            try:
                await self._hear(await self._log.news(), carry_out)
            except CacheError:
                self.unheard += 1
            self._tried.set()
            await self._pause(LISTEN_EVERY_S)

    async def first_try(self, *, wait_s: float) -> None:
        """Return when the others were listened to once, heard or not, or after wait_s."""
        if self._log is None:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._tried.wait(), wait_s)

    async def _hear(self, news: Sequence[Announcement], carry_out: CarryOut) -> None:
        asked: list[Selector] = []
        for purge in sorted(news, key=lambda each: each.at_s):
            self.heard += 1
            if not self.caught_up and purge.at_s < self._began_s:
                # From before this process: carried out long ago, and what came later stays.
                self._remembered.append(purge.meant)
            else:
                # As if it was asked for here and now: what this process wrote since is meant, too,
                # whatever the other one's clock says.
                self.remember(purge.selector)
                asked.append(purge.selector)
        self._caught_up.set()
        for selector in asked:
            try:
                await carry_out(selector)
            except CacheError:
                # It is covered, and whoever asked for it deletes it, too; the others wait for their turn.
                self.unheard += 1
