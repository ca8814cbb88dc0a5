"""Milvus Lite in a process of its own: several clients see one cache, and nothing of it is lost."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from router_extproc.cache.base import Entry, Selector
from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.settings import Milvus, MilvusCollection
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.semantic_cache import Hit, Query, SemanticCache
from router_extproc.cache.verify import GuardVerifier
from router_extproc.errors import CacheError
from router_extproc.testing.check_cache_backend import (
    CHECK_DIM,
    check_cache_backend,
    made_entry,
    unit_vector,
)
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.processes import start_process

CLOCK = ManualClock()
LIMIT_S = 60.0
#: What is promised of two workers.
SEEN_WITHIN_S = 1.0


class LiteProcess:
    """The process; a test may end it in any way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> subprocess.Popen[bytes]:
        assert self._running is not None
        return self._running

    def start(self) -> None:
        command = [sys.executable, "-m", "router_extproc.process.milvus_lite_server"]
        places = [str(self._folder / "deep" / "cache.db"), str(self._folder / "lite.sock")]
        self._running = start_process([*command, *places, "info", "json"], stdin=subprocess.PIPE)

    def end(self) -> int:
        """As the supervisor does, or by being killed itself."""
        assert self.running.stdin is not None
        self.running.stdin.close()
        return self.running.wait(LIMIT_S)

    def kill(self) -> None:
        self.running.kill()
        self.end()

    def backend(self, collection: str, clock: ManualClock) -> MilvusCache:
        settings = Milvus(
            uri=f"unix:{self._folder / 'lite.sock'}", collection=MilvusCollection(name=collection)
        )
        return MilvusCache(settings, dim=CHECK_DIM, clock=clock)


@contextmanager
def running_in(folder: Path) -> Iterator[LiteProcess]:
    process = LiteProcess(folder)
    process.start()
    try:
        yield process
    finally:
        process.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteProcess]:
    """One process for the tests that leave it running; each has its own collection."""
    with running_in(tmp_path_factory.mktemp("lite")) as process:
        yield process


@pytest.fixture
def own(tmp_path: Path) -> Iterator[LiteProcess]:
    with running_in(tmp_path) as process:
        yield process


@asynccontextmanager
async def connected(
    process: LiteProcess, collection: str = "cache", clock: ManualClock = CLOCK
) -> AsyncIterator[MilvusCache]:
    async with process.backend(collection, clock) as backend:

        async def ready() -> bool:
            return (await backend.state()).ready

        await until(ready)
        yield backend


async def until(holds: Callable[[], Awaitable[bool]], *, within_s: float = LIMIT_S) -> None:
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def worker(process: LiteProcess, collection: str) -> AsyncIterator[SemanticCache]:
    """The cache of one worker, as the application puts it together."""
    async with connected(process, collection) as backend:
        near = NearTier(CLOCK, max_entries=100, max_bytes=10**7)
        cache = SemanticCache(
            CLOCK,
            near,
            GuardVerifier(),
            backend=backend,
            source=backend,
            purge_log=backend.purge_log,
            write_feed=backend.write_feed,
        )
        async with cache:
            yield cache


def entry(name: str = "a", *components: float) -> Entry:
    return made_entry(name, now_s=CLOCK.wall_s(), vector=unit_vector(*components) if components else None)


async def test_the_process_keeps_the_contract(shared: LiteProcess) -> None:
    clock = ManualClock()
    async with connected(shared, "contract", clock) as backend:
        await check_cache_backend(backend, clock)


async def test_a_store_of_one_worker_is_an_exact_hit_on_another(shared: LiteProcess) -> None:
    async with worker(shared, "exact") as one, worker(shared, "exact") as other:
        assert not isinstance(await other.lookup.exact(entry().fingerprint), Hit)
        one.store(entry())

        async def hit() -> bool:
            return isinstance(await other.lookup.exact(entry().fingerprint), Hit)

        await until(hit, within_s=SEEN_WITHIN_S)


async def test_a_store_of_one_worker_is_a_semantic_hit_on_another(shared: LiteProcess) -> None:
    stored = entry("wind", 1.0)
    query = Query(stored.scope, stored.partition, unit_vector(1.0), stored.prompt, similarity_min=0.8)
    async with worker(shared, "semantic") as one, worker(shared, "semantic") as other:
        assert not isinstance(await other.lookup.semantic(query), Hit)
        one.store(stored)

        async def hit() -> bool:
            return isinstance(await other.lookup.semantic(query), Hit)

        await until(hit, within_s=SEEN_WITHIN_S)


async def test_writes_of_several_clients_at_once_all_arrive(shared: LiteProcess) -> None:
    """Milvus Lite numbers its writes without a lock of its own."""
    async with connected(shared, "crowd") as one, connected(shared, "crowd") as other:
        names = [f"{client}-{row}" for client in range(2) for row in range(100)]
        await asyncio.gather(
            *((one if name.startswith("0") else other).put([entry(name, 1.0)]) for name in names)
        )
        assert (await one.state()).entries == len(names)
        assert all([await other.get(entry(name).fingerprint) for name in names])


async def test_rows_survive_the_process_whatever_ended_it(own: LiteProcess) -> None:
    async with connected(own) as backend:
        await backend.put([entry("before a crash", 1.0)])
        own.kill()
        own.start()

        async def back() -> bool:
            try:
                return await backend.get(entry("before a crash").fingerprint) is not None
            except CacheError:
                return False

        await until(back)
        await backend.put([entry("before an end", 1.0)])
    assert own.end() == 0
    own.start()
    async with connected(own) as backend:
        assert await backend.get(entry("before a crash").fingerprint) is not None
        assert await backend.get(entry("before an end").fingerprint) is not None


async def test_signals_to_all_processes_leave_it_to_the_workers_last_writes(own: LiteProcess) -> None:
    """Ctrl-C in a terminal and the stop of a service reach the workers and it at the same time."""
    async with connected(own) as backend:
        own.running.send_signal(signal.SIGHUP)
        own.running.send_signal(signal.SIGINT)
        own.running.send_signal(signal.SIGTERM)
        await backend.put([entry("last", 1.0)])
        assert await backend.get(entry("last").fingerprint) is not None
    assert own.end() == 0


async def test_a_folder_in_use_is_said_and_left_alone(
    own: LiteProcess, capfd: pytest.CaptureFixture[str]
) -> None:
    async with connected(own) as backend:
        second = LiteProcess(own._folder)  # noqa: SLF001 - the same folder on purpose
        second.start()
        assert second.running.wait(LIMIT_S) == 1
        second.end()
        assert "cannot open its folder" in capfd.readouterr().err
        assert (await backend.state()).ready


async def test_a_purge_of_one_worker_empties_the_near_tier_of_another(shared: LiteProcess) -> None:
    async with worker(shared, "purged") as one, worker(shared, "purged") as other:
        one.store(entry())

        async def hit() -> bool:
            return isinstance(await other.lookup.exact(entry().fingerprint), Hit)

        async def miss() -> bool:
            return not await hit()

        await until(hit)
        await one.purge(Selector())
        await until(miss)
        assert other.lookup.exact_near(entry().fingerprint) is None


# ── the near tier as a whole copy ─────────────────────────────────────────────────────────────


async def complete(cache: SemanticCache) -> bool:
    return (await cache.state()).near_is_complete


async def test_two_workers_near_tiers_are_complete_and_stay_so(shared: LiteProcess) -> None:
    """So that a miss need not ask Milvus Lite, which compares every vector."""
    async with worker(shared, "complete") as one, worker(shared, "complete") as other:
        for number in range(30):
            (one if number % 2 else other).store(entry(f"{number}", 1.0))

        async def whole() -> bool:
            states = [await one.state(), await other.state()]
            return all(state.near_is_complete and state.near_entries == 30 for state in states)

        await until(whole)
        for number in range(30):
            for cache in (one, other):
                assert isinstance(cache.lookup.exact_near(entry(f"{number}").fingerprint), Hit)


async def test_old_entries_that_are_imported_reach_the_others(shared: LiteProcess) -> None:
    """Their date of creation says nothing of when they were written."""
    old = replace(entry("old", 1.0), created_s=CLOCK.wall_s() - 50.0)
    async with worker(shared, "imported") as one, worker(shared, "imported") as other:
        await one.keep([old])

        async def there() -> bool:
            return other.lookup.exact_near(old.fingerprint) is not None

        await until(there)
        assert await complete(other)


async def test_workers_follow_each_other_after_milvus_lite_died(own: LiteProcess) -> None:
    async with worker(own, "died") as one, worker(own, "died") as other:
        one.store(entry("before", 1.0))
        await until(lambda: complete(one))
        own.kill()
        one.store(entry("meanwhile", 1.0))
        own.start()

        async def there() -> bool:
            return other.lookup.exact_near(entry("meanwhile").fingerprint) is not None and await complete(
                other
            )

        await until(there)
        assert other.lookup.exact_near(entry("before").fingerprint) is not None
