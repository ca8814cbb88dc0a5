"""The cache-backend contract on every backend that this package ships."""

from __future__ import annotations

from pathlib import Path

from router_extproc.cache.memory import MemoryCache
from router_extproc.cache.milvus import MilvusCache
from router_extproc.cache.near import NearTier
from router_extproc.config.milvus import Milvus
from router_extproc.testing.check_cache_backend import CHECK_DIM, check_cache_backend
from router_extproc.testing.clock import ManualClock


async def test_memory_keeps_the_contract() -> None:
    clock = ManualClock()
    tier = NearTier(clock, max_entries=100, max_bytes=10_000_000)
    await check_cache_backend(MemoryCache(tier), clock)


async def test_milvus_lite_keeps_the_contract(tmp_path: Path) -> None:
    clock = ManualClock()
    settings = Milvus(uri=str(tmp_path / "cache.db"))
    async with MilvusCache(settings, dim=CHECK_DIM, clock=clock) as backend:
        await check_cache_backend(backend, clock)
