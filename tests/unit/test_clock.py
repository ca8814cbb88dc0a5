"""The clock that is watched for jumps, and the waits between attempts."""

from __future__ import annotations

import pytest

from router_extproc.clock import JUMP_S, Backoff, WatchedClock
from router_extproc.testing.clock import ManualClock

HOUR_S = 3600.0


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.jumps: list[float] = []
        self.watched = WatchedClock(self.clock, self.jumps.append)


@pytest.fixture
def world() -> World:
    return World()


def test_time_that_passes_is_no_jump(world: World) -> None:
    for _ in range(100):
        world.clock.advance(HOUR_S)
        assert world.watched.wall_s() == world.clock.wall_s()
        assert world.watched.monotonic_s() == world.clock.monotonic_s()
    assert world.jumps == []


@pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S, JUMP_S, -JUMP_S, -50 * 365 * 24 * HOUR_S])
def test_jump_is_told_once(world: World, seconds: float) -> None:
    world.clock.set_wall_on(seconds)
    for _ in range(3):
        world.watched.wall_s()
        world.clock.advance(1.0)
    assert world.jumps == [pytest.approx(seconds)]


def test_jump_and_return_are_two(world: World) -> None:
    for seconds in (HOUR_S, -HOUR_S):
        world.clock.set_wall_on(seconds)
        world.watched.wall_s()
    assert world.jumps == [pytest.approx(HOUR_S), pytest.approx(-HOUR_S)]


def test_clock_that_is_kept_right_little_by_little_does_not_jump(world: World) -> None:
    for _ in range(100):
        world.clock.advance(60.0)
        world.clock.set_wall_on(-0.03)
        world.watched.wall_s()
    assert world.jumps == []


def test_jump_during_a_long_silence_is_told_at_the_next_look(world: World) -> None:
    world.clock.advance(HOUR_S)
    world.clock.set_wall_on(-10.0)
    world.clock.advance(HOUR_S)
    world.watched.wall_s()
    assert world.jumps == [pytest.approx(-10.0)]


def test_waits_grow_by_the_factor_up_to_the_longest() -> None:
    backoff, waits = Backoff(first_s=1, max_s=30, factor=3), [0.0]
    for _ in range(5):
        waits.append(backoff.after(waits[-1]))
    assert waits[1:] == [1, 3, 9, 27, 30]


def test_waits_start_again_after_a_success() -> None:
    assert Backoff(first_s=0.25, max_s=8).after(0.0) == 0.25
