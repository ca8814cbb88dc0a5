"""Reads the rows of a collection of notices: of purges, or of other workers' writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from router_extproc.cache.milvus.connection import Connection
from router_extproc.cache.milvus.purge_schema import FIELDS
from router_extproc.cache.milvus.rows import Row

#: Read at once: Milvus's own bound on the rows of one answer.
_ROWS_MAX: Final = 16_384

#: Of consistency, as Milvus calls it.
Level: TypeAlias = Literal["Bounded", "Strong"]


async def notice_rows(
    connection: Connection,
    collection: str,
    expression: str,
    *,
    timeout_s: float,
    level: Level | None = None,
) -> Iterable[Row]:
    """The rows for which the expression holds; `level` None: the collection's own.

    Raises:
        CacheError: Milvus does not answer.
    """
    options = {} if level is None else {"consistency_level": level}
    rows: Iterable[Row] = await connection.call(
        "news",
        lambda client: client.query(
            collection,
            filter=expression,
            output_fields=list(FIELDS),
            limit=_ROWS_MAX,
            timeout=timeout_s,
            **options,
        ),
    )
    return rows
