"""The collection through which processes that share a Milvus tell each other of purges.

What is new follows from the ids that Milvus itself gives, so that no process's clock decides whether a purge
is seen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from pymilvus import AsyncMilvusClient

from router_extproc.cache.base import Announcement, Selector
from router_extproc.cache.milvus.connection import Connection
from router_extproc.cache.milvus.notice_rows import Level, notice_rows
from router_extproc.cache.milvus.notices import purge_notice, read_purge
from router_extproc.cache.milvus.purge_schema import SUFFIX, VECTOR
from router_extproc.cache.milvus.rows import Row

#: Purges are kept as long, for processes that start later, or were away.
KEPT_S = 24 * 3600.0
#: A server's ids are times: milliseconds in front of 18 bits. What is written a minute later than its id
#: says is still heard.
_OVERLAP = 60_000 << 18
#: What is new is promised within a second, and a stronger level may take as long to answer.
_LEVEL: Final = "Bounded"
#: All that is there at the start: of a later answer nobody could tell that it was complete.
_FIRST_LEVEL: Final = "Strong"
#: How long a busy server may take for that.
_FIRST_S = 10.0


class MilvusPurgeLog:
    """A `PurgeLog` over one collection."""

    def __init__(self, connection: Connection, entries_name: str, *, timeout_s: float) -> None:
        """`entries_name`: the collection that holds the entries."""
        self._connection: Final = connection
        self._name: Final = entries_name + SUFFIX
        self._timeout_s: Final = timeout_s
        self._latest = 0
        self._asked = False
        #: Ids within the overlap that were told already.
        self._told: set[int] = set()

    async def announce(self, purge: Announcement) -> None:
        """See PurgeLog."""
        row = {"at": purge.at_s, "selector": purge_notice(purge.selector), VECTOR: [1.0, 0.0]}
        written = await self._connection.call(
            "announce", lambda client: client.insert(self._name, [row], timeout=self._timeout_s)
        )
        self._note(written["ids"])

    async def news(self) -> Sequence[Announcement]:
        """See PurgeLog."""
        expression = f"id > {self._latest - _OVERLAP}"
        if self._asked:
            rows = await self._rows(expression, _LEVEL, self._timeout_s)
        else:
            rows = await self._rows(expression, _FIRST_LEVEL, max(self._timeout_s, _FIRST_S))
            self._asked = True
        fresh = [row for row in rows if int(row["id"]) not in self._told]
        self._note(row["id"] for row in fresh)
        return [purge for row in fresh if (purge := _read(row)) is not None]

    async def settle(self, now_s: float, carry_out: Callable[[Selector], Awaitable[object]]) -> None:
        """Forget what is older than KEPT_S, each after it was carried out once more.

        A process that died may have written, after the purge, what was purged.

        Raises:
            CacheError: Milvus does not answer; the rest is kept.
        """
        for row in await self._rows(f"at < {now_s - KEPT_S:.6f}", _LEVEL, self._timeout_s):
            purge = _read(row)
            if purge is not None:
                await carry_out(purge.meant)
            await self._forget(int(row["id"]))

    async def _forget(self, key: int) -> None:
        async def delete(client: AsyncMilvusClient) -> object:
            return await client.delete(self._name, ids=[key], timeout=self._timeout_s)

        await self._connection.call("settle", delete)

    async def _rows(self, expression: str, level: Level, timeout_s: float) -> Iterable[Row]:
        return await notice_rows(self._connection, self._name, expression, timeout_s=timeout_s, level=level)

    def _note(self, keys: Iterable[object]) -> None:
        self._told |= {int(str(key)) for key in keys}
        self._latest = max(self._told, default=self._latest)
        self._told = {key for key in self._told if key > self._latest - _OVERLAP}


def _read(row: Row) -> Announcement | None:
    """The purge of a row; None: it is not one of ours."""
    selector = read_purge(row["selector"])
    return None if selector is None else Announcement(selector, float(row["at"]))
