"""A Milvus server in trouble: requests go on, nothing stored is lost, and no restart is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from router_extproc.cache.base import Entry
from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.settings import Milvus, MilvusConnection
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.semantic_cache import CacheState, Hit, Miss, SemanticCache
from router_extproc.cache.verify import GuardVerifier
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry, unit_vector
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.milvus_process import UNAVAILABLE, MilvusServer, is_available, made_milvus

CLOCK = ManualClock()
LIMIT_S = 150.0
#: What a request gives a lookup.
BUDGET_S = 0.5


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    """One that every test here may hurt, and leaves running; at first it is down."""
    if not is_available():
        pytest.skip(UNAVAILABLE)
    made = made_milvus(tmp_path_factory.mktemp("trouble"))
    try:
        yield made
    finally:
        made.kill()


def entry(name: str) -> Entry:
    return made_entry(name, now_s=CLOCK.wall_s(), vector=unit_vector(1.0))


class Worker:
    """The cache of one process, and another look at what Milvus has."""

    def __init__(self, cache: SemanticCache, backend: MilvusCache) -> None:
        self.cache = cache
        self._backend = backend

    async def state(self) -> CacheState:
        return await self.cache.state()

    async def ready(self) -> bool:
        backend = (await self.state()).backend
        return backend is not None and backend.ready

    def has(self, *entries: Entry) -> Callable[[], Awaitable[bool]]:
        """Milvus itself has them, and nothing waits to be written."""

        async def there() -> bool:
            if not await self.ready() or (await self.state()).queued:
                return False
            found = [await self._backend.get(each.fingerprint) for each in entries]
            return [each and each.answer for each in found] == [each.answer for each in entries]

        return there

    async def ask(self, name: str) -> Miss | None:
        """A request's lookup of what this process does not know; None: its time was over."""
        try:
            async with asyncio.timeout(BUDGET_S):
                found = await self.cache.lookup.exact(entry(name).fingerprint)
        except TimeoutError:
            return None
        assert not isinstance(found, Hit)
        return found


@asynccontextmanager
async def worker(server: MilvusServer) -> AsyncIterator[Worker]:
    wanted = Milvus(connection=MilvusConnection(port=server.port, timeout=10))
    async with MilvusCache(wanted, dim=CHECK_DIM, clock=CLOCK) as backend:
        near = NearTier(CLOCK, max_entries=100, max_bytes=10_000_000)
        parts = {"backend": backend, "source": backend, "purge_log": backend.purge_log}
        async with SemanticCache(CLOCK, near, GuardVerifier(), **parts) as cache:
            yield Worker(cache, backend)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not await holds():  # noqa: ASYNC110 - Milvus tells nobody
            await asyncio.sleep(0.05)


async def test_server_that_is_down_at_first_gets_what_was_stored_meanwhile(server: MilvusServer) -> None:
    async with worker(server) as one:
        assert one.cache.store(entry("early")) == "stored"
        assert await one.ask("unknown") == Miss("backend")
        state = await one.state()
        assert (state.queued, state.backend and state.backend.ready) == (1, False)
        assert state.backend is not None
        assert state.backend.detail
        await asyncio.to_thread(server.start)
        await until(one.has(entry("early")))


async def test_server_that_dies_comes_back_with_all_it_had(server: MilvusServer) -> None:
    async with worker(server) as one:
        await until(one.ready)
        one.cache.store(entry("before"))
        await until(one.has(entry("before")))
        server.kill()
        one.cache.store(entry("meanwhile"))
        assert await one.ask("unknown") in (None, Miss("backend"))
        assert isinstance(one.cache.lookup.exact_near(entry("before").fingerprint), Hit)
        await asyncio.to_thread(server.start)
        await until(one.has(entry("before"), entry("meanwhile")))
        assert await one.ask("unknown") == Miss("absent")


async def test_server_that_hangs_costs_some_requests_their_budget_and_later_ones_nothing(
    server: MilvusServer,
) -> None:
    async with worker(server) as one:
        await until(one.ready)
        server.freeze()
        try:

            async def given_up() -> bool:
                return await one.ask("unknown") == Miss("backend")

            await until(given_up)
            one.cache.store(entry("frozen"))
        finally:
            server.thaw()
        await until(one.has(entry("frozen")))


async def test_server_that_refuses_writes_is_written_to_later(server: MilvusServer) -> None:
    """Full disks and quotas look alike: reads go on."""
    async with worker(server) as one:
        await until(one.ready)
        one.cache.store(entry("kept"))
        await until(one.has(entry("kept")))
        server.kill()
        server.refuse_writes(refuse=True)
        await asyncio.to_thread(server.start)
        await until(one.ready)
        one.cache.store(entry("refused"))

        async def refused() -> bool:
            return (await one.state()).counters["queue_retries"] > 0

        await until(refused)
        state = await one.state()
        assert (state.queued, state.counters["queue_rejected"]) == (1, 0)
        server.kill()
        server.refuse_writes(refuse=False)
        await asyncio.to_thread(server.start)
        await until(one.has(entry("kept"), entry("refused")))
