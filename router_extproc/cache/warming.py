"""Filling the near tier from the backend after a start.

It is not on the request path. The rule it keeps: what was stored since the start wins over what is read
here, and the near tier is called complete only while it provably holds all that the backend holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from router_extproc.cache.base import Entry, EntrySource
from router_extproc.cache.near import NearTier
from router_extproc.errors import CacheError

#: Pauses between attempts while the backend does not answer: doubled from the first to the last.
RETRY_FIRST_S = 0.25
RETRY_LAST_S = 8.0


class Warming:
    """One warming of one near tier."""

    def __init__(
        self,
        near: NearTier,
        source: EntrySource,
        usable: Callable[[Entry], bool],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`usable`: false for entries that were purged meanwhile; `pause` waits between attempts."""
        self._near: Final = near
        self._source: Final = source
        self._usable: Final = usable
        self._pause: Final = pause
        self._done = False
        #: Entries that the near tier could not keep, when this process started.
        self._lost_before: Final = self._lost

    @property
    def near_is_complete(self) -> bool:
        """True while lookups need not ask the backend.

        It is then ours alone, all of it was read, and the near tier has not given up an entry since.
        """
        return self._done and self._source.exclusive and self._lost == self._lost_before

    async def run(self) -> None:
        """Read the backend once, from the beginning again when it stops answering."""
        retry_s = RETRY_FIRST_S
        while not self._done:
            try:
                await self._read()
                self._done = True
            except CacheError:
                await self._pause(retry_s)
                retry_s = min(2 * retry_s, RETRY_LAST_S)

    async def _read(self) -> None:
        # One more than fits: a backend that holds more makes the near tier evict, and so incomplete.
        async for page in self._source.entries(limit=self._near.max_entries + 1):
            for entry in page:
                if entry.fingerprint not in self._near and self._usable(entry):
                    self._near.put(entry)
            # One page at a time: requests go first.
            await asyncio.sleep(0)

    @property
    def _lost(self) -> int:
        return self._near.counters.evicted + self._near.counters.refused
