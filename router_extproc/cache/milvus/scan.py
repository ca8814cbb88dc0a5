"""Reads a Milvus collection apart from lookups: all its entries, those of some fingerprints, their number."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import islice
from typing import Final

from router_extproc.cache.base import Entry, Fingerprint, Selector
from router_extproc.cache.milvus import filters
from router_extproc.cache.milvus.connection import Connection
from router_extproc.cache.milvus.lookups import lookup_timeout_s
from router_extproc.cache.milvus.rows import Row, RowReader, output_fields
from router_extproc.cache.milvus.schema import PRIMARY
from router_extproc.cache.milvus.settings import MilvusCollection
from router_extproc.clock import Clock

#: Rows read with one query, about.
QUERY_ROWS = 500
#: Fingerprints read with one query, about. Milvus Lite goes through all rows for each query, whatever it
#: finds (0.5 s at 10,000), and finds rows by their fingerprints at once (0.2 ms each).
QUERY_KEYS = 8000
#: Whoever looks at the state, a scrape or the dashboard, takes at most one part in so many of Milvus's time:
#: Milvus Lite needs 0.5 s to count 10,000 rows.
COUNT_PAUSE = 20
#: Rows handed on at once.
PAGE_ROWS = 20
#: Milvus's own bound on the rows of one answer.
ROWS_MAX = 16_384


class Scan:
    """Scans of one collection."""

    def __init__(
        self,
        connection: Connection,
        collection: MilvusCollection,
        reader: RowReader,
        clock: Clock,
        *,
        is_lite: bool,
        timeout_s: float,
    ) -> None:
        """`timeout_s` bounds each query; counting has the shorter limit of lookups."""
        self._connection: Final = connection
        self._collection: Final = collection
        self._output_fields: Final = output_fields(collection.vector_field.name)
        self._reader: Final = reader
        self._clock: Final = clock
        self._is_lite: Final = is_lite
        self._timeout_s: Final = timeout_s
        self._counted = 0
        self._count_again_s = 0.0

    async def get_all(self, fingerprints: Sequence[Fingerprint]) -> Sequence[Entry]:
        """The fresh entries among these.

        Raises:
            CacheError: Milvus does not answer.
        """
        rows = await self._connection.call(
            "scan",
            lambda client: client.get(
                self._collection.name,
                ids=list(fingerprints),
                output_fields=self._output_fields,
                timeout=self._timeout_s,
            ),
        )
        return list(self._reader.fresh(rows))

    async def entries(self, *, limit: int, selector: Selector) -> AsyncIterator[Sequence[Entry]]:
        """See EntrySource."""
        left, meant = limit, filters.selected(selector)
        at_once = QUERY_KEYS if self._is_lite else QUERY_ROWS
        fields = [PRIMARY] if self._is_lite else self._output_fields
        for part in filters.fingerprint_ranges(max(1, math.ceil(await self._count() / at_once))):
            fresh = filters.fresh(self._clock.wall_s())
            rows = iter(await self._query(f"{part} and {fresh} and {meant}", fields))
            # The library unpacks a row when it is asked for: a few at a time, so that requests go first.
            while left and (page := list(islice(rows, min(left, PAGE_ROWS)))):
                left -= len(page)
                yield await self._entries_of(page)
            if not left:
                return

    async def _entries_of(self, page: Sequence[Row]) -> Sequence[Entry]:
        if self._is_lite:
            return await self.get_all([Fingerprint(row[PRIMARY]) for row in page])
        return list(self._reader.fresh(page))

    async def _query(self, expression: str, fields: Sequence[str]) -> Iterable[Row]:
        rows: Iterable[Row] = await self._connection.call(
            "scan",
            lambda client: client.query(
                self._collection.name,
                filter=expression,
                output_fields=list(fields),
                limit=ROWS_MAX,
                timeout=self._timeout_s,
            ),
        )
        return rows

    async def count_for_state(self) -> int:
        """The number of rows; a count is reused for COUNT_PAUSE times as long as it took.

        Raises:
            CacheError: Milvus does not answer.
        """
        now_s = self._clock.monotonic_s()
        if not self._connection.ready or now_s >= self._count_again_s:
            self._counted = await self._count()
            took_s = self._clock.monotonic_s() - now_s
            self._count_again_s = now_s + COUNT_PAUSE * took_s
        return self._counted

    async def _count(self) -> int:
        timeout_s = lookup_timeout_s(self._timeout_s)
        if self._is_lite:
            # Milvus Lite counts rows by reading all of them; its statistics know the number.
            stats = await self._connection.call(
                "count",
                lambda client: client.get_collection_stats(self._collection.name, timeout=timeout_s),
            )
            return int(stats["row_count"])
        rows = await self._connection.call(
            "count",
            lambda client: client.query(
                self._collection.name, filter="", output_fields=["count(*)"], timeout=timeout_s
            ),
        )
        return int(rows[0]["count(*)"])
