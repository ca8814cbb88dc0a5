"""Milvus Lite in trouble: a full disk, a worker killed in the middle of a write, a clock that jumps."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from router_extproc.cache.base import Entry
from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.settings import Milvus
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.semantic_cache import Hit, Miss, SemanticCache
from router_extproc.cache.verify import GuardVerifier
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry, unit_vector
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.processes import start_process

LIMIT_S = 90.0
TTL_S = 60.0


def entry(name: str, clock: ManualClock) -> Entry:
    return made_entry(name, now_s=clock.wall_s(), vector=unit_vector(1.0))


def cache_over(backend: MilvusCache, clock: ManualClock) -> SemanticCache:
    near = NearTier(clock, max_entries=100, max_bytes=10_000_000)
    return SemanticCache(clock, near, GuardVerifier(), backend=backend, source=backend)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not await holds():  # noqa: ASYNC110 - Milvus tells nobody
            await asyncio.sleep(0.02)


# ── a full disk ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    places = [str(tmp_path / "cache.db"), str(tmp_path / "lite.sock")]
    command = [sys.executable, "-m", "router_extproc.process.milvus_lite_server", *places, "info", "json"]
    process = start_process(command, stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def let_files_grow(process: subprocess.Popen[bytes], bytes_max: int) -> None:
    """No file of the process may be longer: to it, the disk is full."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (bytes_max, resource.RLIM_INFINITY))


async def test_full_disk_loses_nothing_and_needs_no_restart(
    tmp_path: Path, lite: subprocess.Popen[bytes]
) -> None:
    clock = ManualClock()
    settings = Milvus(uri=f"unix:{tmp_path / 'lite.sock'}")
    async with (
        MilvusCache(settings, dim=CHECK_DIM, clock=clock) as backend,
        cache_over(backend, clock) as cache,
    ):

        async def ready() -> bool:
            return (await backend.state()).ready

        def written(*names: str) -> Callable[[], Awaitable[bool]]:
            async def all_there() -> bool:
                if not await ready() or (await cache.state()).queued:
                    return False
                found = [await backend.get(entry(name, clock).fingerprint) for name in names]
                return all(found)

            return all_there

        await until(ready)
        cache.store(entry("before", clock))
        await until(written("before"))
        let_files_grow(lite, 0)
        cache.store(replace(entry("while full", clock), answer=os.urandom(100_000)))

        async def refused() -> bool:
            return (await cache.state()).counters["queue_retries"] > 0

        await until(refused)
        assert isinstance(cache.lookup.exact_near(entry("while full", clock).fingerprint), Hit)
        assert isinstance(await cache.lookup.exact(entry("unknown", clock).fingerprint), Miss)
        let_files_grow(lite, resource.RLIM_INFINITY)
        await until(written("before", "while full"))
        assert (await cache.state()).counters["queue_rejected"] == 0


# ── a killed worker ───────────────────────────────────────────────────────────────────────────

WRITER = """
import asyncio, itertools, sys
from pathlib import Path
from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.settings import Milvus
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry, unit_vector
from router_extproc.testing.clock import ManualClock

async def main():
    clock = ManualClock()
    async with MilvusCache(Milvus(uri=sys.argv[1]), dim=CHECK_DIM, clock=clock) as backend:
        await backend.start(wait_s=60)
        for number in itertools.count():
            names = [f"{number}-{row}" for row in range(50)]
            await backend.put([made_entry(n, now_s=clock.wall_s(), vector=unit_vector(1.0)) for n in names])
            print(number, flush=True)

asyncio.run(main())
"""


async def test_worker_killed_in_the_middle_of_a_write_leaves_whole_entries_only(tmp_path: Path) -> None:
    clock, folder = ManualClock(), str(tmp_path / "cache.db")
    with start_process([sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline() for _ in range(3)]
        time.sleep(0.003)  # noqa: ASYNC251 - into the next write; where exactly is no matter
        writer.kill()
    async with MilvusCache(Milvus(uri=folder), dim=CHECK_DIM, clock=clock) as backend:

        async def ready() -> bool:
            return (await backend.state()).ready

        await until(ready)
        told = [each async for page in backend.entries(limit=100_000) for each in page]
        unreadable = (await backend.state()).counters["unreadable"]
    assert acknowledged[-1] == b"2\n"
    assert len(told) >= 150
    assert unreadable == 0
    assert all(each.answer.decode() == each.prompt.replace("Tell me about", "answer of") for each in told)


# ── a clock that jumps ────────────────────────────────────────────────────────────────────────


async def test_clock_that_goes_ahead_and_comes_back_hides_entries_only_meanwhile(tmp_path: Path) -> None:
    clock = ManualClock()
    settings = Milvus(uri=str(tmp_path / "cache.db"))
    async with (
        MilvusCache(settings, dim=CHECK_DIM, clock=clock) as backend,
        cache_over(backend, clock) as cache,
    ):

        async def written() -> bool:
            state = await cache.state()
            return state.near_is_complete and state.counters["queue_written"] == 1

        stored = entry("a", clock)
        cache.store(stored)
        await until(written)
        clock.set_wall_on(24 * 3600.0)
        assert isinstance(await cache.lookup.exact(stored.fingerprint), Miss)
        clock.set_wall_on(-24 * 3600.0)
        assert isinstance(await cache.lookup.exact(stored.fingerprint), Hit)


async def test_clock_that_goes_back_hides_what_is_stored_until_it_is_right_again(tmp_path: Path) -> None:
    clock = ManualClock()
    settings = Milvus(uri=str(tmp_path / "cache.db"))
    async with (
        MilvusCache(settings, dim=CHECK_DIM, clock=clock) as backend,
        cache_over(backend, clock) as cache,
    ):
        stored = entry("a", clock)
        cache.store(stored)
        clock.set_wall_on(-3600.0)
        assert isinstance(await cache.lookup.exact(stored.fingerprint), Miss)
        clock.set_wall_on(3600.0)
        assert isinstance(await cache.lookup.exact(stored.fingerprint), Hit)
        clock.set_wall_on(TTL_S)
        assert isinstance(await cache.lookup.exact(stored.fingerprint), Miss)
