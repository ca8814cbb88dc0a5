"""A measurement's collection comes and goes, and nobody else's is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymilvus import MilvusClient  # noqa: TID251 - an outside look at what is there

from router_extproc.cache.milvus.scratch import scratch_cache
from router_extproc.errors import CacheError
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry, unit_vector
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.milvus_process import MilvusServer
from router_extproc.testing.ports import free_port

CLOCK = ManualClock()


async def test_a_scratch_collection_is_dropped_at_its_end_and_no_other(milvus_server: MilvusServer) -> None:
    uri = f"http://127.0.0.1:{milvus_server.port}"
    client = MilvusClient(uri=uri)
    before = set(client.list_collections())
    async with scratch_cache(uri, dim=CHECK_DIM, clock=CLOCK) as cache:
        await cache.put([made_entry("a", now_s=CLOCK.wall_s(), vector=unit_vector(1.0))])
        assert set(client.list_collections()) > before
    assert set(client.list_collections()) == before
    client.close()


async def test_a_scratch_folder_of_milvus_lite_needs_no_server(tmp_path: Path) -> None:
    async with scratch_cache(str(tmp_path / "cache.db"), dim=CHECK_DIM, clock=CLOCK) as cache:
        entry = made_entry("a", now_s=CLOCK.wall_s(), vector=unit_vector(1.0))
        await cache.put([entry])
        assert (await cache.get(entry.fingerprint)) is not None


async def test_a_server_that_is_away_is_said_at_once() -> None:
    uri = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CacheError, match=uri):
        async with scratch_cache(uri, dim=CHECK_DIM, clock=CLOCK):
            pass
