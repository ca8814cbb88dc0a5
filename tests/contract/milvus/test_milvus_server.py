"""The Milvus backend over a real server: every setting, replicas, and collections of others."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from pymilvus import MilvusClient  # noqa: TID251 - to see what the server has

from router_extproc.cache.base import Entry, Scope, Selector
from router_extproc.cache.digest import digest
from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.purge_schema import SUFFIX
from router_extproc.cache.milvus.schema import VERSION_PROPERTY
from router_extproc.cache.milvus.settings import Milvus, MilvusCollection, MilvusConnection, MilvusIndex
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.semantic_cache import Hit, SemanticCache
from router_extproc.cache.verify import GuardVerifier
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry, unit_vector
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.milvus_process import MilvusServer

CLOCK = ManualClock()
#: For what a server does on a busy machine.
LIMIT_S = 90.0


def settings(server: MilvusServer, name: str, **collection: object) -> Milvus:
    connection = MilvusConnection(port=server.port)
    return Milvus(connection=connection, collection=MilvusCollection(name=name, **collection))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not await holds():  # noqa: ASYNC110 - Milvus tells nobody
            await asyncio.sleep(0.02)


@asynccontextmanager
async def connected(wanted: Milvus, *, dim: int = CHECK_DIM) -> AsyncIterator[MilvusCache]:
    async with MilvusCache(wanted, dim=dim, clock=CLOCK) as backend:

        async def ready() -> bool:
            return (await backend.state()).ready

        await until(ready)
        yield backend


@asynccontextmanager
async def replica(wanted: Milvus) -> AsyncIterator[SemanticCache]:
    """The cache of one process, as the application puts it together."""
    async with connected(wanted) as backend:
        near = NearTier(CLOCK, max_entries=100, max_bytes=10_000_000)
        parts = {"backend": backend, "source": backend, "purge_log": backend.purge_log}
        async with SemanticCache(CLOCK, near, GuardVerifier(), **parts) as cache:
            yield cache


def entry(name: str, *components: float, scope: str = "one") -> Entry:
    made = made_entry(name, now_s=CLOCK.wall_s(), vector=unit_vector(*components) if components else None)
    return replace(made, scope=Scope(digest(b"check-scope", [scope.encode()])))


def hit(cache: SemanticCache, stored: Entry, *, wanted: bool = True) -> Callable[[], Awaitable[bool]]:
    async def found() -> bool:
        return isinstance(await cache.lookup.exact(stored.fingerprint), Hit) == wanted

    return found


@pytest.fixture
def client(milvus_server: MilvusServer) -> MilvusClient:
    return MilvusClient(uri=f"http://127.0.0.1:{milvus_server.port}", dedicated=True, timeout=LIMIT_S)


# ── settings ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("index", "metric"),
    [
        (MilvusIndex(type="FLAT"), "COSINE"),
        (MilvusIndex(type="AUTOINDEX"), "IP"),
        (MilvusIndex(type="IVF_SQ8", params={"nlist": 4, "nprobe": 4}), "IP"),
    ],
    ids=["FLAT", "AUTOINDEX", "IVF_SQ8"],
)
async def test_every_index_is_made_as_asked_and_finds(
    milvus_server: MilvusServer, client: MilvusClient, index: MilvusIndex, metric: str
) -> None:
    name, stored = f"index_{index.type}", entry("a", 1.0)
    field = {"metric_type": metric}
    async with connected(settings(milvus_server, name, index=index, vector_field=field)) as cache:
        await cache.put([stored, entry("b", -1.0)])

        async def nearest() -> bool:
            found = await cache.search(stored.scope, stored.partition, unit_vector(1.0), limit=1)
            return [each.entry.answer for each in found] == [stored.answer]

        await until(nearest)
    made = client.describe_index(name, "embedding")
    assert made["index_type"] == index.type
    assert made["metric_type"] == metric


async def test_collection_is_made_and_kept_as_configured(
    milvus_server: MilvusServer, client: MilvusClient
) -> None:
    wanted = {"description": "mine", "partitions": 3, "consistency_level": "Strong", "ttl_seconds": 7200}
    async with connected(settings(milvus_server, "configured", **wanted)):
        made = client.describe_collection("configured")
    assert (made["description"], made["num_partitions"]) == ("mine", 3)
    assert made["consistency_level_name"] == "Strong"
    assert made["properties"]["collection.ttl.seconds"] == "7200"
    async with connected(settings(milvus_server, "configured", **wanted | {"ttl_seconds": 60})):
        kept = client.describe_collection("configured")
    assert kept["properties"]["collection.ttl.seconds"] == "60"


async def test_entries_of_one_scope_stand_in_one_part(
    milvus_server: MilvusServer, client: MilvusClient
) -> None:
    """No search scans what other scopes have, and a replaced entry stays in its part."""
    stored = [entry(f"{scope}{number}", 1.0, scope=scope) for scope in "abcd" for number in range(3)]
    async with connected(settings(milvus_server, "parts", partitions=8)) as cache:
        await cache.put(stored)
        await cache.put(stored[:4])

        async def all_there() -> bool:
            return (await cache.state()).entries == len(stored)

        await until(all_there)
        for scope in "abcd":
            mine = next(each.scope for each in stored if each.prompt.endswith(f"{scope}0"))
            # The server looks into the scope's part only: a row in another one would be missing.
            rows = client.query("parts", filter=f'scope == "{mine}"', limit=100, consistency_level="Strong")
            assert len(rows) == 3


@pytest.mark.parametrize("size", [65_536, 1_000_000])
async def test_long_answer_comes_back_whole(milvus_server: MilvusServer, size: int) -> None:
    """Milvus's longest text has 65,535 bytes."""
    stored = replace(entry("long", 1.0), answer=os.urandom(size))
    async with connected(settings(milvus_server, "long")) as cache:
        await cache.put([stored])

        async def whole() -> bool:
            found = await cache.get(stored.fingerprint)
            return found is not None and found.answer == stored.answer

        await until(whole)


# ── collections of others ─────────────────────────────────────────────────────────────────────


async def refused(wanted: Milvus, why: str, *, dim: int = CHECK_DIM) -> None:
    """Wait until the backend says why it is not ready."""
    async with MilvusCache(wanted, dim=dim, clock=CLOCK) as backend:

        async def said() -> bool:
            state = await backend.state()
            assert not state.ready
            return why in state.detail

        await until(said)


async def test_collection_of_another_dimension_or_version_is_refused_and_kept(
    milvus_server: MilvusServer, client: MilvusClient
) -> None:
    stored, wanted = entry("kept", 1.0), settings(milvus_server, "kept")
    async with connected(wanted) as cache:
        await cache.put([stored])
    await refused(wanted, "dimension 8, the encoder gives 16", dim=16)
    client.alter_collection_properties("kept", {VERSION_PROPERTY: "99"})
    await refused(wanted, "rows of version 99, not 1")
    client.alter_collection_properties("kept", {VERSION_PROPERTY: "1"})
    async with connected(wanted) as cache:

        async def there() -> bool:
            return await cache.get(stored.fingerprint) is not None

        await until(there)


async def test_foreign_collection_of_purges_is_refused_and_kept(
    milvus_server: MilvusServer, client: MilvusClient
) -> None:
    client.create_collection(f"taken{SUFFIX}", dimension=4)
    await refused(settings(milvus_server, "taken"), "not ours")
    assert client.has_collection(f"taken{SUFFIX}")


async def test_collection_that_was_half_made_is_finished(
    milvus_server: MilvusServer, client: MilvusClient
) -> None:
    """Whoever made it died before its index."""
    async with connected(settings(milvus_server, "half")):
        pass
    client.release_collection("half")
    client.drop_index("half", "embedding")
    async with connected(settings(milvus_server, "half")) as cache:
        await cache.put([entry("a", 1.0)])
    assert client.list_indexes("half", "embedding")


async def test_database_that_is_not_there_is_said(milvus_server: MilvusServer) -> None:
    wanted = Milvus(connection=MilvusConnection(port=milvus_server.port, database="nowhere"))
    await refused(wanted, "nowhere")


# ── replicas ──────────────────────────────────────────────────────────────────────────────────


async def test_replicas_share_stores_and_purges(milvus_server: MilvusServer) -> None:
    """A store is a hit on the other; a purge empties the other's near tier, and a later start, too."""
    wanted, stored = settings(milvus_server, "replicas"), entry("a", 1.0)
    async with replica(wanted) as one, replica(wanted) as other:
        one.store(stored)
        await until(hit(other, stored))
        assert isinstance(other.lookup.exact_near(stored.fingerprint), Hit)
        await one.purge(Selector(model="small"))
        await until(hit(other, stored, wanted=False))
        assert other.lookup.exact_near(stored.fingerprint) is None
        assert other.store(stored) == "purged"
    async with connected(wanted) as backend:
        # What a worker that died in the middle of a write may leave behind.
        await backend.put([stored])

        async def written() -> bool:
            return await backend.get(stored.fingerprint) is not None

        await until(written)
    async with replica(wanted) as later:

        async def heard() -> bool:
            # From its first moment on, also while it does not know yet that this was purged.
            assert not isinstance(await later.lookup.exact(stored.fingerprint), Hit)
            return later.is_purged(stored)

        await until(heard)
