"""A collection for one measurement: made under a name that nobody has, dropped at its end.

Only what was made here is dropped.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from pymilvus import MilvusClient

from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.connect import client_options
from router_extproc.cache.milvus.endpoint import endpoint_of
from router_extproc.cache.milvus.errors import FOREIGN_ERRORS, translate
from router_extproc.cache.milvus.purge_schema import SUFFIX
from router_extproc.cache.milvus.settings import Milvus, MilvusCollection
from router_extproc.clock import Clock
from router_extproc.errors import CacheError

#: The first connection may take it.
CONNECT_S: Final = 30.0


@asynccontextmanager
async def scratch_cache(
    uri: str, *, dim: int, clock: Clock, connect_s: float = CONNECT_S
) -> AsyncIterator[MilvusCache]:
    """A backend on a new collection of the server (or the folder of Milvus Lite) at `uri`.

    Raises:
        CacheError: it does not answer, or does not let the collection go.
    """
    collection = MilvusCollection(name=f"router_extproc_bench_{secrets.token_hex(8)}")
    settings = Milvus(uri=uri, collection=collection)
    cache = MilvusCache(settings, dim=dim, clock=clock)
    try:
        await cache.start(wait_s=connect_s)
        state = await cache.state()
        if not state.ready:
            raise CacheError("bench", f"milvus at {uri}: {state.detail}")
        yield cache
        if not cache.exclusive:
            await asyncio.to_thread(_drop, settings)
    finally:
        await cache.aclose()


def _drop(settings: Milvus) -> None:
    endpoint = endpoint_of(settings)
    uri = settings.uri or ""
    try:
        client = MilvusClient(**client_options(endpoint, uri, timeout_s=settings.connection.timeout))
        try:
            for suffix in ("", SUFFIX):
                client.drop_collection(settings.collection.name + suffix)
        finally:
            client.close()
    except FOREIGN_ERRORS as error:
        raise translate("drop", error) from error
