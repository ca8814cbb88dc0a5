"""Cleaning up, and the clock that it trusts."""

from __future__ import annotations

import asyncio

import pytest

from router_extproc.cache.milvus.sweeper import JUMP_S, SWEEP_S, Sweeper
from router_extproc.errors import CacheError


class JumpyClock:
    """Its wall clock may be set."""

    def __init__(self) -> None:
        self.monotonic = 0.0
        self.ahead = 1_700_000_000.0

    def monotonic_s(self) -> float:
        return self.monotonic

    def wall_s(self) -> float:
        return self.monotonic + self.ahead


async def sweeps(*jumps_s: float, away: bool = False) -> tuple[list[float], int]:
    """When it swept, with the wall clock set on by so much before each round; and the jumps it saw."""
    clock, swept, left = JumpyClock(), [], list(jumps_s)

    async def pause(seconds: float) -> None:
        if not left:
            raise asyncio.CancelledError
        clock.monotonic += seconds
        clock.ahead += left.pop(0)

    async def sweep(now_s: float) -> None:
        swept.append(now_s - 1_700_000_000.0)
        if away:
            raise CacheError("cache", "away")

    sweeper = Sweeper(clock, sweep, pause=pause)
    with pytest.raises(asyncio.CancelledError):
        await sweeper.run()
    return swept, sweeper.jumps


async def test_every_round_sweeps() -> None:
    assert await sweeps(0.0, JUMP_S) == ([SWEEP_S, 2 * SWEEP_S + JUMP_S], 0)


@pytest.mark.parametrize("jump_s", [86_400.0, -86_400.0])
async def test_clock_that_jumped_and_came_back_deletes_nothing(jump_s: float) -> None:
    swept, jumps = await sweeps(jump_s, -jump_s, 0.0)
    assert (swept, jumps) == ([3 * SWEEP_S], 2)


async def test_clock_that_stays_where_it_jumped_is_believed() -> None:
    swept, jumps = await sweeps(3600.0, 0.0)
    assert (swept, jumps) == ([2 * SWEEP_S + 3600.0], 1)


async def test_milvus_that_is_away_is_swept_later() -> None:
    swept, _ = await sweeps(0.0, 0.0, away=True)
    assert len(swept) == 2
