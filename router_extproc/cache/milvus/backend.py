"""The cache backend over Milvus. The near tier is in front of it, and answers what it can.

Expired rows are never returned. While Milvus is not connected, a lookup fails at once.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final, Self

from pymilvus import AsyncMilvusClient

from router_extproc.cache.base import (
    EVERYTHING,
    BackendState,
    Entry,
    Fingerprint,
    Neighbour,
    Partition,
    PurgeLog,
    Scope,
    Selector,
    WriteFeed,
)
from router_extproc.cache.health import BackendListener, BackendWatch
from router_extproc.cache.milvus import filters
from router_extproc.cache.milvus.connection import Connection
from router_extproc.cache.milvus.endpoint import (
    LiteEndpoint,
    LiteProcessEndpoint,
    ServerEndpoint,
    collection_of,
    endpoint_of,
)
from router_extproc.cache.milvus.lookups import (
    LITE_AT_ONCE_MAX,
    SERVER_AT_ONCE_MAX,
    Lookups,
    lookup_timeout_s,
)
from router_extproc.cache.milvus.purge_log import MilvusPurgeLog
from router_extproc.cache.milvus.rows import RowReader, output_fields, to_row
from router_extproc.cache.milvus.scan import Scan
from router_extproc.cache.milvus.schema import PRIMARY, search_params
from router_extproc.cache.milvus.settings import Milvus
from router_extproc.cache.milvus.sweeper import Sweeper
from router_extproc.cache.milvus.write_feed import LiteWriteFeed
from router_extproc.cancellation import end_tasks
from router_extproc.clock import Clock
from router_extproc.errors import CacheError
from router_extproc.models.base import Vector

#: How long `start` waits for the first connection.
START_WAIT_S = 2.0


class MilvusCache:
    """A `CacheBackend` and an `EntrySource` over one collection."""

    def __init__(
        self,
        settings: Milvus,
        *,
        dim: int,
        clock: Clock,
        connection: Connection | None = None,
        listener: BackendListener | None = None,
    ) -> None:
        """`dim`: length of the encoder's vectors. To be made where the event loop runs."""
        self._collection: Final = collection_of(settings)
        self._vector_field: Final = settings.collection.vector_field.name
        self._output_fields: Final = output_fields(self._vector_field)
        self._reader: Final = RowReader(self._vector_field, clock)
        self._timeout_s: Final = settings.connection.timeout
        self._dim: Final = dim
        self._clock: Final = clock
        self._connection: Final = connection or Connection(
            settings, dim=dim, watch=BackendWatch(clock, listener)
        )
        self._sweeper: Final = Sweeper(clock, self._sweep)
        self._sweeping: asyncio.Task[None] | None = None
        self._counters: Final = {"too_large": 0, "swept": 0}
        endpoint = endpoint_of(settings)
        #: Milvus Lite in this process: no other one can write to it.
        self.exclusive: Final = isinstance(endpoint, LiteEndpoint)
        self._is_lite: Final = not isinstance(endpoint, ServerEndpoint)
        at_once_max = LITE_AT_ONCE_MAX if self._is_lite else SERVER_AT_ONCE_MAX
        self._lookups: Final = Lookups(self._connection, clock, at_once_max=at_once_max)
        self._scan: Final = Scan(
            self._connection,
            self._collection,
            self._reader,
            clock,
            is_lite=self._is_lite,
            timeout_s=self._timeout_s,
        )
        self._log: Final = (
            None
            if self.exclusive
            else MilvusPurgeLog(self._connection, self._collection.name, timeout_s=self._lookup_s)
        )

        self._feed: Final = (
            LiteWriteFeed(
                self._connection, self._collection.name, self._scan.get_all, clock, timeout_s=self._lookup_s
            )
            if isinstance(endpoint, LiteProcessEndpoint)
            else None
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def start(self, *, wait_s: float = START_WAIT_S) -> None:
        """Start connecting and wait for the first attempt, at most wait_s; never raises for Milvus's sake."""
        await self._connection.start(wait_s=wait_s)
        if self._sweeping is None:
            self._sweeping = asyncio.create_task(self._sweeper.run(), name="milvus-sweeper")

    async def aclose(self) -> None:
        """Disconnect; with Milvus Lite every row that was put is then on disk."""
        if self._sweeping is not None:
            await end_tasks([self._sweeping])
            self._sweeping = None
        await self._connection.aclose()

    @property
    def purge_log(self) -> PurgeLog | None:
        """The log of purges that all processes share; None: no other can write to this folder."""
        return self._log

    @property
    def write_feed(self) -> WriteFeed | None:
        """What others write; None: there can be no others, or a server answers fast enough."""
        return self._feed

    async def get(self, fingerprint: Fingerprint) -> Entry | None:
        """See CacheBackend."""
        rows = await self._lookups.ask(
            "get",
            lambda client: client.get(
                self._collection.name,
                ids=[fingerprint],
                output_fields=self._output_fields,
                timeout=self._lookup_s,
                consistency_level=self._collection.consistency_level,
            ),
        )
        return next(iter(self._reader.fresh(rows)), None)

    async def search(
        self, scope: Scope, partition: Partition, vector: Vector, *, limit: int
    ) -> Sequence[Neighbour]:
        """See CacheBackend."""
        found = await self._lookups.ask(
            "search",
            lambda client: client.search(
                self._collection.name,
                data=[vector],
                anns_field=self._vector_field,
                filter=filters.in_partition(scope, partition, self._clock.wall_s()),
                limit=limit,
                search_params=search_params(self._collection, limit=limit),
                output_fields=self._output_fields,
                timeout=self._lookup_s,
                consistency_level=self._collection.consistency_level,
            ),
        )
        return [neighbour for hit in found[0] for neighbour in self._neighbours(hit, partition)]

    async def put(self, entries: Sequence[Entry]) -> None:
        """See CacheBackend. Entries that a row cannot hold are counted and left out."""
        # In a thread: a batch may take a tenth of a second to compress, and requests go first.
        writable = await asyncio.to_thread(self._rows_of, entries)
        self._counters["too_large"] += len(entries) - len(writable)
        if writable:
            await self._connection.call("put", lambda client: self._write(client, writable))

    def _rows_of(self, entries: Sequence[Entry]) -> list[dict[str, Any]]:  # Any: column values
        rows = (to_row(entry, vector_field=self._vector_field, dim=self._dim) for entry in entries)
        return [dict(row) for row in rows if row is not None]

    async def _write(self, client: AsyncMilvusClient, rows: list[dict[str, Any]]) -> None:
        name = self._collection.name
        if self._is_lite:
            await client.upsert(name, rows, timeout=self._timeout_s)
            if self._feed is not None:
                await self._feed.tell(client, (Fingerprint(row[PRIMARY]) for row in rows))
            return
        # Until Milvus 2.3.10 an upsert puts rows into the part of another scope, where no search finds
        # them (milvus-io/milvus#30607). Between these two calls, a replaced entry is a miss.
        await client.delete(name, ids=[row[PRIMARY] for row in rows], timeout=self._timeout_s)
        await client.insert(name, rows, timeout=self._timeout_s)

    async def purge(self, selector: Selector) -> int:
        """See CacheBackend."""
        return await self._delete(filters.selected(selector))

    async def state(self) -> BackendState:
        """See CacheBackend."""
        counters = {
            **self._counters,
            "unreadable": self._reader.unreadable,
            "connects": self._connection.connects,
            "clock_jumps": self._sweeper.jumps,
        }
        try:
            entries = await self._scan.count_for_state()
        except CacheError as error:
            detail = self._connection.problem or error.reason
            return BackendState(
                ready=False,
                entries=None,
                detail=detail,
                counters=counters,
                health=self._connection.watch.health,
            )
        return BackendState(
            ready=True, entries=entries, counters=counters, health=self._connection.watch.health
        )

    def entries(self, *, limit: int, selector: Selector = EVERYTHING) -> AsyncIterator[Sequence[Entry]]:
        """See EntrySource."""
        return self._scan.entries(limit=limit, selector=selector)

    async def _delete(self, expression: str) -> int:
        async def delete(client: AsyncMilvusClient) -> object:
            # Strong: rows that were put just before are found too.
            return await client.delete(
                self._collection.name, filter=expression, timeout=self._timeout_s, consistency_level="Strong"
            )

        deleted = await self._connection.call("delete", delete)
        # A server says how many, Milvus Lite says which.
        return int(deleted["delete_count"]) if isinstance(deleted, dict) else len(list(_each(deleted)))

    async def _sweep(self, now_s: float) -> None:
        self._counters["swept"] += await self._delete(filters.expired(now_s))
        if self._log is not None:
            await self._log.settle(now_s, self.purge)

    @property
    def _lookup_s(self) -> float:
        return lookup_timeout_s(self._timeout_s)

    def _neighbours(self, hit: Any, partition: Partition) -> Iterable[Neighbour]:  # Any: the library's hit
        # IP of vectors of length 1 is the cosine, and so is what Milvus calls the COSINE distance.
        similarity = float(hit["distance"])
        for entry in self._reader.fresh([hit["entity"]]):
            if entry.partition == partition and not math.isnan(similarity):
                yield Neighbour(entry, max(-1.0, min(1.0, similarity)))


def _each(deleted: object) -> Iterable[object]:
    return deleted if isinstance(deleted, Iterable) else ()
