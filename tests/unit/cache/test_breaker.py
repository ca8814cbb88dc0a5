"""A slow backend is asked a few times, and then once for each pause."""

from __future__ import annotations

from itertools import product

import pytest

from router_extproc.cache.breaker import (
    LATE_MAX,
    PAUSES,
    TRANSITIONS,
    Breaker,
    Circuit,
    Event,
)
from router_extproc.testing.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def told() -> list[bool]:
    """What is told of pauses."""
    return []


@pytest.fixture
def breaker(clock: ManualClock, told: list[bool]) -> Breaker:
    return Breaker(clock, told.append)


def time_out(breaker: Breaker, times: int = LATE_MAX) -> None:
    for _ in range(times):
        assert breaker.allows()
        breaker.late()


def test_every_event_has_an_outcome_everywhere() -> None:
    assert set(TRANSITIONS) == set(product(Circuit, Event))


def test_time_outs_in_a_row_leave_the_backend_out(breaker: Breaker) -> None:
    time_out(breaker)
    assert not breaker.allows()


def test_an_answer_between_them_is_enough_to_go_on(breaker: Breaker) -> None:
    for _ in range(10):
        time_out(breaker, LATE_MAX - 1)
        breaker.answered()
    assert breaker.allows()


def test_one_lookup_tries_after_the_pause(breaker: Breaker, clock: ManualClock) -> None:
    time_out(breaker)
    clock.advance(PAUSES.first_s)
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.answered()
    assert all(breaker.allows() for _ in range(3))


def test_pauses_double_up_to_the_last(breaker: Breaker, clock: ManualClock) -> None:
    time_out(breaker)
    pause_s = PAUSES.first_s
    for _ in range(10):
        clock.advance(pause_s - 0.001)
        assert not breaker.allows()
        clock.advance(0.002)
        time_out(breaker, 1)
        pause_s = min(2 * pause_s, PAUSES.max_s)
    assert pause_s == PAUSES.max_s


def test_slow_backend_costs_few_lookups_their_time(breaker: Breaker, clock: ManualClock) -> None:
    """25 lookups a second for ten minutes."""
    asked = 0
    for _ in range(25 * 600):
        if breaker.allows():
            asked += 1
            breaker.late()
        clock.advance(1 / 25)
    assert asked < 30


def test_a_pause_is_told_once_and_its_end_once(
    breaker: Breaker, clock: ManualClock, told: list[bool]
) -> None:
    time_out(breaker)
    for _ in range(5):
        clock.advance(PAUSES.max_s)
        time_out(breaker, 1)
    assert told == [True]
    clock.advance(PAUSES.max_s)
    assert breaker.allows()
    breaker.answered()
    assert told == [True, False]


def test_trial_that_fails_at_once_lets_another_one_try(breaker: Breaker, clock: ManualClock) -> None:
    time_out(breaker)
    clock.advance(PAUSES.first_s)
    assert breaker.allows()
    breaker.failed()
    assert [breaker.allows() for _ in range(2)] == [True, False]


def test_answer_from_before_the_pause_does_not_end_it(breaker: Breaker) -> None:
    time_out(breaker)
    breaker.answered()
    assert not breaker.allows()


def test_lookup_that_never_says_how_it_ended_is_replaced(breaker: Breaker, clock: ManualClock) -> None:
    time_out(breaker)
    clock.advance(PAUSES.first_s)
    assert breaker.allows()
    clock.advance(PAUSES.first_s)
    assert breaker.allows()


def test_after_an_answer_the_pause_begins_small_again(breaker: Breaker, clock: ManualClock) -> None:
    time_out(breaker)
    clock.advance(PAUSES.first_s)
    time_out(breaker, 1)
    clock.advance(2 * PAUSES.first_s)
    assert breaker.allows()
    breaker.answered()
    time_out(breaker)
    clock.advance(PAUSES.first_s)
    assert breaker.allows()
