"""The Milvus backend over Milvus Lite: what survives, what is refused, and how it comes back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from milvus_lite import MilvusLite
from pymilvus import AsyncMilvusClient  # noqa: TID251 - the client is what breaks here
from pymilvus.exceptions import MilvusException  # noqa: TID251 - likewise

from router_extproc.cache.base import Entry, Selector
from router_extproc.cache.milvus import sweeper
from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.connection import GIVEN_UP_MAX, Connection
from router_extproc.cache.milvus.settings import Milvus, MilvusCollection, MilvusConnection, MilvusVectorField
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.semantic_cache import Hit, SemanticCache
from router_extproc.cache.verify import GuardVerifier
from router_extproc.errors import CacheError
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry, unit_vector
from router_extproc.testing.clock import ManualClock

CLOCK = ManualClock()
LIMIT_S = 20.0


def settings(folder: Path, **collection: object) -> Milvus:
    return Milvus(uri=str(folder / "deep" / "cache.db"), collection=MilvusCollection(**collection))


def backend(wanted: Milvus, *, dim: int = CHECK_DIM) -> MilvusCache:
    return MilvusCache(wanted, dim=dim, clock=CLOCK)


def entry(name: str, *components: float) -> Entry:
    return made_entry(name, now_s=CLOCK.wall_s(), vector=unit_vector(*components) if components else None)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not await holds():  # noqa: ASYNC110 - Milvus tells nobody
            await asyncio.sleep(0.05)


async def test_rows_survive_a_restart(tmp_path: Path) -> None:
    async with backend(settings(tmp_path)) as first:
        await first.put([entry("a", 1.0)])
    async with backend(settings(tmp_path)) as second:
        found = await second.get(entry("a").fingerprint)
        near = await second.search(entry("a").scope, entry("a").partition, unit_vector(1.0), limit=1)
    assert found is not None
    assert found.answer == near[0].entry.answer == b"answer of a"


@pytest.mark.parametrize("metric", ["IP", "COSINE"])
async def test_both_metrics_give_the_cosine(tmp_path: Path, metric: str) -> None:
    wanted = settings(tmp_path, vector_field={"metric_type": metric, "name": "v"})
    async with backend(wanted) as cache:
        await cache.put([entry("exact only"), entry("a", 1.0), entry("b", 1.0, 1.0), entry("c", -1.0)])
        found = await cache.search(entry("a").scope, entry("a").partition, unit_vector(1.0), limit=3)
    assert [round(each.similarity, 3) for each in found] == [1.0, 0.707, -1.0]


MISMATCHES = {
    "dimension 8, the encoder gives 16": (MilvusVectorField(), 16),
    "metric IP, not COSINE": (MilvusVectorField(metric_type="COSINE"), CHECK_DIM),
    "no column other": (MilvusVectorField(name="other"), CHECK_DIM),
    "is a column's": (MilvusVectorField(name="prompt"), CHECK_DIM),
}


@pytest.mark.parametrize(("problem", "wanted"), MISMATCHES.items(), ids=MISMATCHES)
async def test_foreign_collection_is_refused_and_left_as_it_is(
    tmp_path: Path, problem: str, wanted: tuple[MilvusVectorField, int]
) -> None:
    async with backend(settings(tmp_path)) as first:
        await first.put([entry("a", 1.0)])
    field, dim = wanted
    async with backend(settings(tmp_path, vector_field=field), dim=dim) as other:
        state = await other.state()
        with pytest.raises(CacheError):
            await other.get(entry("a").fingerprint)
    assert not state.ready
    assert problem in state.detail
    async with backend(settings(tmp_path)) as again:
        assert await again.get(entry("a").fingerprint) is not None


async def test_milvus_that_is_away_costs_a_lookup_no_time(tmp_path: Path) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    away = Milvus(connection=MilvusConnection(port=port, timeout=30))
    async with backend(away) as cache:
        async with asyncio.timeout(1):
            with pytest.raises(CacheError):
                await cache.get(entry("a").fingerprint)
        assert not (await cache.state()).ready


async def test_milvus_that_comes_later_is_used_without_restart(tmp_path: Path) -> None:
    """A folder that cannot be made stands for a server that is not up yet."""
    blocker = tmp_path / "deep"
    blocker.write_text("in the way")
    async with backend(settings(tmp_path)) as cache:
        assert not (await cache.state()).ready
        blocker.unlink()

        async def ready() -> bool:
            return (await cache.state()).ready

        await until(ready)
        await cache.put([entry("a")])
        assert await cache.get(entry("a").fingerprint) is not None


async def test_failed_call_makes_a_new_connection(tmp_path: Path) -> None:
    async def fail(_: AsyncMilvusClient) -> None:
        raise MilvusException(2, "connection lost")

    connection = Connection(settings(tmp_path), dim=CHECK_DIM)
    async with AsyncExitStack() as stack:
        await connection.start(wait_s=LIMIT_S)
        stack.push_async_callback(connection.aclose)
        with pytest.raises(CacheError):
            await connection.call("get", fail)

        async def connected_again() -> bool:
            return connection.ready and connection.connects == 2

        await until(connected_again)


async def test_calls_that_are_given_up_again_and_again_break_the_connection(tmp_path: Path) -> None:
    """A Milvus that hangs must not cost every request its whole budget for ever."""

    async def hang(_: AsyncMilvusClient) -> None:
        await asyncio.Event().wait()

    connection = Connection(settings(tmp_path), dim=CHECK_DIM)
    await connection.start(wait_s=LIMIT_S)
    for _ in range(GIVEN_UP_MAX):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.call("get", hang), timeout=0.01)

    async def connected_again() -> bool:
        return connection.ready and connection.connects == 2

    await until(connected_again)
    await connection.aclose()


async def test_closed_channel_under_a_call_is_an_error_and_no_cancellation(tmp_path: Path) -> None:
    """A cancelled task would take the client's request down with it."""

    async def lose_channel(_: AsyncMilvusClient) -> None:
        raise asyncio.CancelledError

    connection = Connection(settings(tmp_path), dim=CHECK_DIM)
    await connection.start(wait_s=LIMIT_S)
    with pytest.raises(CacheError):
        await connection.call("get", lose_channel)
    await connection.aclose()


async def test_entry_that_no_row_can_hold_is_counted_and_the_rest_is_written(tmp_path: Path) -> None:
    async with backend(settings(tmp_path)) as cache:
        await cache.put([replace(entry("bad"), prompt="\ud800"), entry("good")])
        assert await cache.get(entry("good").fingerprint) is not None
        assert (await cache.state()).counters["too_large"] == 1


async def test_expired_rows_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are never returned anyway; swept, they take no room."""
    monkeypatch.setattr(sweeper, "SWEEP_S", 0.05)
    async with backend(settings(tmp_path)) as cache:
        await cache.put([entry("fresh"), replace(entry("old"), expires_s=CLOCK.wall_s() - 1)])

        async def swept() -> bool:
            return (await cache.state()).counters["swept"] == 1

        await until(swept)
        assert await cache.get(entry("fresh").fingerprint) is not None


async def test_folder_in_use_by_another_is_said(tmp_path: Path) -> None:
    wanted = settings(tmp_path)
    folder = tmp_path / "deep" / "cache.db"
    async with backend(wanted):
        pass
    (folder / "LOCK").unlink(missing_ok=True)
    with MilvusLite(str(folder)):
        async with backend(wanted) as second:
            state = await second.state()
    assert not state.ready
    assert "open in another process" in state.detail


async def test_all_entries_are_told_once_and_expired_ones_never(tmp_path: Path) -> None:
    clock = ManualClock()
    async with MilvusCache(settings(tmp_path), dim=CHECK_DIM, clock=clock) as cache:
        stored = [made_entry(str(number), now_s=clock.wall_s()) for number in range(1200)]
        expired = replace(made_entry("old", now_s=0), expires_s=clock.wall_s())
        await cache.put([*stored, expired])
        pages: list[Sequence[Entry]] = [page async for page in cache.entries(limit=5000)]
        few = [each async for page in cache.entries(limit=3) for each in page]
        meant = Selector(model="small", fingerprint=stored[7].fingerprint[:12])
        one = [each async for page in cache.entries(limit=5000, selector=meant) for each in page]
    told = [each.fingerprint for page in pages for each in page]
    assert sorted(told) == sorted(each.fingerprint for each in stored)
    assert len(pages) > 1
    assert len(few) == 3
    assert [each.fingerprint for each in one] == [stored[7].fingerprint]


async def test_purge_survives_a_restart(tmp_path: Path) -> None:
    """The process forgets at once; Milvus must, too, or a restart would bring everything back."""
    kept, purged = entry("kept", 1.0), replace(entry("purged", 1.0), model="large")
    for run in range(2):
        async with backend(settings(tmp_path)) as milvus:
            near = NearTier(CLOCK, max_entries=100, max_bytes=10_000_000)
            cache = SemanticCache(CLOCK, near, GuardVerifier(), backend=milvus, source=milvus)
            if run == 0:
                assert await cache.keep([kept, purged]) == 2
                assert await cache.purge(Selector(model="large")) == 1
            else:
                told = [each.fingerprint async for each in cache.entries(Selector())]
                assert told == [kept.fingerprint]


async def test_restarted_cache_answers_from_a_warm_near_tier(tmp_path: Path) -> None:
    """Store, restart, hit: with Milvus Lite the near tier then needs no search of its own."""
    for run in range(2):
        async with backend(settings(tmp_path)) as milvus:
            near = NearTier(CLOCK, max_entries=100, max_bytes=10_000_000)
            async with SemanticCache(CLOCK, near, GuardVerifier(), backend=milvus, source=milvus) as cache:

                async def warm(cache: SemanticCache = cache) -> bool:
                    return (await cache.state()).near_is_complete

                await until(warm)
                if run == 0:
                    cache.store(entry("a", 1.0))
                else:
                    found = await cache.lookup.exact(entry("a").fingerprint)
                    assert isinstance(found, Hit)
                    assert found.tier == "near"
                    assert await cache.purge(Selector()) == 1
