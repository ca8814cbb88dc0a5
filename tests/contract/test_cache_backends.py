"""The cache-backend contract on every backend that this package ships."""

from __future__ import annotations

from pathlib import Path

from router_extproc.cache.memory import MemoryCache
from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.settings import Milvus, MilvusCollection, MilvusConnection
from router_extproc.cache.near.tier import NearTier
from router_extproc.testing.check_cache_backend import CHECK_DIM, check_cache_backend
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.milvus_process import MilvusServer

#: How long a write to a server may take to be seen.
SETTLE_S = 10.0
#: Making a collection takes a server some seconds on a busy machine.
MADE_S = 60.0


async def test_memory_keeps_the_contract() -> None:
    clock = ManualClock()
    tier = NearTier(clock, max_entries=100, max_bytes=10_000_000)
    await check_cache_backend(MemoryCache(tier), clock)


async def test_milvus_lite_keeps_the_contract(tmp_path: Path) -> None:
    clock = ManualClock()
    settings = Milvus(uri=str(tmp_path / "cache.db"))
    async with MilvusCache(settings, dim=CHECK_DIM, clock=clock) as backend:
        await check_cache_backend(backend, clock)


async def test_milvus_server_keeps_the_contract(milvus_server: MilvusServer) -> None:
    clock = ManualClock()
    # A name of its own: other tests have other dimensions.
    own = MilvusCollection(name="contract")
    settings = Milvus(connection=MilvusConnection(port=milvus_server.port), collection=own)
    async with MilvusCache(settings, dim=CHECK_DIM, clock=clock) as backend:
        await backend.start(wait_s=MADE_S)
        await check_cache_backend(backend, clock, settle_s=SETTLE_S)
