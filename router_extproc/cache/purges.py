"""What was purged: remembered, told to the other processes, and heard from them.

It is not a store and deletes nothing itself. The rule it keeps: from the moment that this process knows of
a purge, no entry from before it is answered with or stored here, whatever the backend still returns.
"""

from __future__ import annotations

import asyncio
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
        """Without a log nobody else is told, and nobody is heard; `pause` waits between two questions."""
        self._clock: Final = clock
        self._log: Final = log
        self._pause: Final = pause
        self._remembered: Final[deque[Selector]] = deque(maxlen=PURGES_REMEMBERED_MAX)
        self._began_s: Final = clock.wall_s()
        self._listened = False
        #: Purges of others, those from before this process included.
        self.heard = 0
        #: Times that the others could not be listened to.
        self.unheard = 0

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
        """Carry out what others announce, until cancelled."""
        if self._log is None:
            return
        while True:
            try:
                await self._hear(await self._log.news(), carry_out)
            except CacheError:
                self.unheard += 1
            await self._pause(LISTEN_EVERY_S)

    async def _hear(self, news: Sequence[Announcement], carry_out: CarryOut) -> None:
        first, self._listened = not self._listened, True
        for purge in sorted(news, key=lambda each: each.at_s):
            self.heard += 1
            if first and purge.at_s < self._began_s:
                # From before this process: carried out long ago, and what came later stays.
                self._remembered.append(purge.meant)
            else:
                # As if it was asked for here and now: what this process wrote since is meant, too,
                # whatever the other one's clock says.
                await carry_out(purge.selector)
