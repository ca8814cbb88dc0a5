"""Deletes expired rows, which take room until then (lookups never return them).

After a jump of the clock nothing is deleted before a second round agrees with the new time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from router_extproc.clock import Clock
from router_extproc.errors import CacheError

#: How often it is done.
SWEEP_S = 600.0
#: The wall clock may differ by as much from the monotonic one between two rounds.
JUMP_S = 30.0


class Sweeper:
    """One task that sweeps as long as it runs."""

    def __init__(
        self,
        clock: Clock,
        sweep: Callable[[float], Awaitable[None]],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`sweep` is given the wall-clock time; `pause` waits."""
        self._clock: Final = clock
        self._sweep: Final = sweep
        self._pause: Final = pause
        self._offset_s = self._offset()
        #: Rounds that were left out because the clock had jumped.
        self.jumps = 0

    async def run(self) -> None:
        """Sweep until cancelled; Milvus being away leaves it to the next round."""
        while True:
            await self._pause(SWEEP_S)
            if self._jumped():
                self.jumps += 1
                continue
            try:
                await self._sweep(self._clock.wall_s())
            except CacheError:
                continue  # the link says why

    def _jumped(self) -> bool:
        before_s, self._offset_s = self._offset_s, self._offset()
        return abs(self._offset_s - before_s) > JUMP_S

    def _offset(self) -> float:
        return self._clock.wall_s() - self._clock.monotonic_s()
