"""Lookups that are left out: too many at once, or none while Milvus is too slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from pymilvus.exceptions import MilvusException  # noqa: TID251 - it is translated here

from router_extproc.cache.breaker import LATE_MAX, PAUSE_FIRST_S
from router_extproc.cache.health import BackendWatch, Unheard
from router_extproc.cache.milvus.connection import Connection
from router_extproc.cache.milvus.lookups import Lookups
from router_extproc.errors import CacheError
from router_extproc.testing.clock import ManualClock

AT_ONCE_MAX = 2


class Skips(Unheard):
    """Counts what is left out."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def skipped(self, reason: str) -> None:
        self.reasons.append(reason)


class SlowLink:
    """Answers when it is told to, or fails as it is told."""

    def __init__(self, watch: BackendWatch) -> None:
        self.watch = watch
        self.asked = 0
        self.released = asyncio.Event()
        self.error: CacheError | None = None

    async def call(self, _operation: str, _work: Callable[[Any], Awaitable[object]]) -> object:
        self.asked += 1
        if self.error is not None:
            raise self.error
        await self.released.wait()
        return "found"


def timed_out() -> CacheError:
    error = CacheError("cache", "milvus get: MilvusException")
    error.__cause__ = MilvusException(message="<MilvusException: deadline exceeded>")
    return error


class World:
    def __init__(self) -> None:
        self.clock, self.skips = ManualClock(), Skips()
        self.connection = SlowLink(BackendWatch(self.clock, self.skips))
        self.lookups = Lookups(cast("Connection", self.connection), self.clock, at_once_max=AT_ONCE_MAX)

    async def get(self) -> object:
        return await self.lookups.ask("get", lambda _: asyncio.sleep(0))


@pytest.fixture
async def world() -> World:
    return World()


async def test_more_than_may_be_at_once_are_not_asked(world: World) -> None:
    waiting = [asyncio.create_task(world.get()) for _ in range(AT_ONCE_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(CacheError, match="busy"):
        await world.get()
    world.connection.released.set()
    assert await asyncio.gather(*waiting) == ["found"] * AT_ONCE_MAX
    assert await world.get() == "found"
    assert world.skips.reasons == ["busy"]


async def test_lookups_that_their_callers_gave_up_on_pause_it(world: World) -> None:
    for _ in range(LATE_MAX):
        lookup = asyncio.create_task(world.get())
        await asyncio.sleep(0)
        lookup.cancel()
        await asyncio.wait({lookup})
    with pytest.raises(CacheError, match="paused"):
        await world.get()
    assert world.connection.asked == LATE_MAX
    assert world.connection.watch.health.lookups_paused


async def test_time_outs_of_milvus_pause_it_too_and_a_trial_in_time_ends_that(world: World) -> None:
    world.connection.error = timed_out()
    for _ in range(LATE_MAX + 3):
        with pytest.raises(CacheError):
            await world.get()
    assert world.connection.asked == LATE_MAX
    world.connection.error = None
    world.connection.released.set()
    world.clock.advance(PAUSE_FIRST_S)
    assert [await world.get() for _ in range(3)] == ["found"] * 3
    assert not world.connection.watch.health.lookups_paused


async def test_a_milvus_that_is_away_is_asked_again_and_again(world: World) -> None:
    """It fails at once, and is back at once."""
    world.connection.error = CacheError("cache", "milvus get: not connected yet")
    for _ in range(3 * LATE_MAX):
        with pytest.raises(CacheError, match="not connected"):
            await world.get()
    assert world.skips.reasons == []
