"""Lookups in Milvus, bounded: not more at once than it can answer in time, and none while it is too slow.

Both bounds make a miss at once of what would be a miss after its time-out, and leave Milvus the time to
answer the others, and to take what is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeVar

from pymilvus import AsyncMilvusClient

from router_extproc.cache.breaker import Breaker
from router_extproc.cache.milvus.connection import Connection
from router_extproc.cache.milvus.trouble import trouble_of
from router_extproc.clock import Clock
from router_extproc.errors import CacheError

#: Milvus Lite answers one call at a time: whoever waits behind more than these is too late anyway.
LITE_AT_ONCE_MAX: Final = 4
#: A server answers many at a time; more wait for nothing but memory.
SERVER_AT_ONCE_MAX: Final = 256

T = TypeVar("T")


class Lookups:
    """The way of every lookup to the connection."""

    def __init__(self, connection: Connection, clock: Clock, *, at_once_max: int) -> None:
        """at_once_max: of this process."""
        self._connection: Final = connection
        self._at_once_max: Final = at_once_max
        self._breaker: Final = Breaker(clock, connection.watch.pause_lookups)
        self._under_way = 0

    async def ask(
        self, operation: Literal["get", "search"], work: Callable[[AsyncMilvusClient], Awaitable[T]]
    ) -> T:
        """The result of `work` on the client.

        Raises:
            CacheError: not asked, not connected, or Milvus failed.
        """
        if self._under_way >= self._at_once_max:
            raise self._skipped(operation, "busy")
        if not self._breaker.allows():
            raise self._skipped(operation, "paused")
        self._under_way += 1
        try:
            result = await self._connection.call(operation, work)
        except asyncio.CancelledError:
            self._breaker.late()
            raise
        except CacheError as error:
            self._note(error)
            raise
        finally:
            self._under_way -= 1
        self._breaker.answered()
        return result

    def _note(self, error: CacheError) -> None:
        if trouble_of(error) == "timeout":
            self._breaker.late()
        else:
            self._breaker.failed()

    def _skipped(self, operation: str, reason: Literal["busy", "paused"]) -> CacheError:
        self._connection.watch.skipped(reason)
        return CacheError("cache", f"milvus {operation}: left out ({reason})")
