"""Tells the workers that share one Milvus Lite of each other's writes.

A collection beside the entries' has a row for every batch that was written: which worker wrote it, and which
fingerprints. A worker that reads the new rows, and those entries, has everything in its near tier, so that
a miss there need not ask Milvus Lite, which compares every vector.

Milvus Lite gives ids in the order in which it writes, one call at a time, so a higher id is a later write.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final
from uuid import uuid4

from pymilvus import AsyncMilvusClient

from router_extproc.cache.base import Entry, FeedGap, Fingerprint
from router_extproc.cache.milvus.connection import Connection
from router_extproc.cache.milvus.notice_rows import notice_rows
from router_extproc.cache.milvus.notices import WriteNotice, read_writes, write_notice
from router_extproc.cache.milvus.purge_schema import VECTOR, WRITES_SUFFIX
from router_extproc.cache.milvus.rows import Row
from router_extproc.clock import Clock

#: A worker that heard nothing for longer reads everything again; rows are forgotten after twice as long.
HEARD_WITHIN_S: Final = 30.0
#: How often they are.
_FORGET_EVERY_S: Final = 15.0
#: Written since the last question; more are read faster with everything else.
NEWS_MAX: Final = 1000
#: Entries read with one call.
_READ_AT_ONCE: Final = 20

ReadEntries = Callable[[Sequence[Fingerprint]], Awaitable[Sequence[Entry]]]


class LiteWriteFeed:
    """A `WriteFeed` over one collection."""

    def __init__(
        self, connection: Connection, entries_name: str, read: ReadEntries, clock: Clock, *, timeout_s: float
    ) -> None:
        """`read` reads entries by their fingerprints."""
        self._connection: Final = connection
        self._name: Final = entries_name + WRITES_SUFFIX
        self._read: Final = read
        self._clock: Final = clock
        self._timeout_s: Final = timeout_s
        self._writer: Final = uuid4().hex
        self._latest = 0
        self._heard_at_s = 0.0
        self._forgot_at_s = clock.monotonic_s()
        #: The connection by which `_latest` is known: another one may lead to another folder.
        self._connects = -1

    async def tell(self, client: AsyncMilvusClient, fingerprints: Iterable[Fingerprint]) -> None:
        """Say that these were written; part of the write."""
        told = write_notice(WriteNotice(self._writer, tuple(fingerprints)))
        row = {"at": self._clock.monotonic_s(), "selector": told, VECTOR: [1.0, 0.0]}
        await client.insert(self._name, [row], timeout=self._timeout_s)

    async def begin(self) -> None:
        """See WriteFeed."""
        connects = self._connection.connects
        self._latest = max((int(row["id"]) for row in await self._rows("id >= 0")), default=-1)
        self._connects, self._heard_at_s = connects, self._clock.monotonic_s()

    async def news(self) -> Sequence[Entry]:
        """See WriteFeed."""
        if self._connection.connects != self._connects or self._silent_s > HEARD_WITHIN_S:
            raise FeedGap("cache", "writes of others may have been missed")
        asked_at_s = self._clock.monotonic_s()
        rows = list(await self._rows(f"id > {self._latest}"))
        written = dict.fromkeys(key for row in rows for key in self._of_others(row))
        if len(written) > NEWS_MAX:
            raise FeedGap("cache", "others wrote much at once")
        entries = await self._read_all(list(written))
        self._latest = max((int(row["id"]) for row in rows), default=self._latest)
        self._heard_at_s = asked_at_s
        await self._forget()
        return entries

    @property
    def _silent_s(self) -> float:
        return self._clock.monotonic_s() - self._heard_at_s

    def _of_others(self, row: Row) -> Iterable[Fingerprint]:
        told = read_writes(row["selector"])
        return () if told is None or told.writer == self._writer else told.written

    async def _read_all(self, fingerprints: list[Fingerprint]) -> list[Entry]:
        found: list[Entry] = []
        for first in range(0, len(fingerprints), _READ_AT_ONCE):
            found += await self._read(fingerprints[first : first + _READ_AT_ONCE])
        return found

    async def _rows(self, expression: str) -> Iterable[Row]:
        return await notice_rows(self._connection, self._name, expression, timeout_s=self._timeout_s)

    async def _forget(self) -> None:
        """Delete rows that every worker has read, or has to do without."""
        now_s = self._clock.monotonic_s()
        if now_s - self._forgot_at_s < _FORGET_EVERY_S:
            return
        self._forgot_at_s = now_s
        # The workers are on one machine, and so is their monotonic clock; after a restart of the machine it
        # begins again, and what is later than now is from before.
        old = f"at < {now_s - 2 * HEARD_WITHIN_S:.3f} or at > {now_s + 2 * HEARD_WITHIN_S:.3f}"
        await self._connection.call(
            "settle", lambda client: client.delete(self._name, filter=old, timeout=self._timeout_s)
        )
