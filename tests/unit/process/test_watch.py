"""Who is silent for too long, and who is not to blame."""

from __future__ import annotations

import pytest

from router_extproc.process.watch import BEAT_S, STEP_MAX_S, Patience, Silence, Watch
from router_extproc.testing.clock import ManualClock

PATIENCE = Patience(start_s=60, silent_s=10)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def watch(clock: ManualClock) -> Watch:
    return Watch(clock, PATIENCE)


def silent(watch: Watch, clock: ManualClock, seconds: int) -> Silence:
    """What the last of so many looks finds, one each second, with nothing heard."""
    found = Silence.ACCEPTED
    for _ in range(seconds):
        clock.advance(BEAT_S)
        found = watch.look(heard=False)
    return found


def test_a_process_that_is_heard_is_left_alone(watch: Watch, clock: ManualClock) -> None:
    for _ in range(1000):
        clock.advance(BEAT_S)
        assert watch.look(heard=True) is Silence.ACCEPTED


def test_a_process_that_falls_silent_is_frozen(watch: Watch, clock: ManualClock) -> None:
    watch.look(heard=True)
    assert silent(watch, clock, 9) is Silence.ACCEPTED
    assert silent(watch, clock, 1) is Silence.FROZEN


def test_one_sign_of_life_is_enough_to_start_from_zero(watch: Watch, clock: ManualClock) -> None:
    watch.look(heard=True)
    silent(watch, clock, 9)
    watch.look(heard=True)
    assert silent(watch, clock, 9) is Silence.ACCEPTED


def test_a_start_may_take_longer(watch: Watch, clock: ManualClock) -> None:
    """Models are loaded, on a machine that may be busy."""
    assert silent(watch, clock, 59) is Silence.ACCEPTED
    assert silent(watch, clock, 1) is Silence.NEVER_READY


def test_nobody_is_blamed_for_time_that_the_watcher_missed(watch: Watch, clock: ManualClock) -> None:
    """SIGSTOP to the whole group, or a machine that was suspended for a day."""
    watch.look(heard=True)
    clock.advance(86_400)
    assert watch.look(heard=False) is Silence.ACCEPTED
    assert watch.silent_s == STEP_MAX_S


def test_a_watcher_without_processor_time_waits_for_looks_and_not_for_seconds(
    watch: Watch, clock: ManualClock
) -> None:
    watch.look(heard=True)
    found = []
    for _ in range(5):
        clock.advance(30)
        found.append(watch.look(heard=False))
    assert found == [Silence.ACCEPTED] * 4 + [Silence.FROZEN]


def test_a_frozen_process_is_found_after_the_watcher_was_stopped_too(
    watch: Watch, clock: ManualClock
) -> None:
    watch.look(heard=True)
    clock.advance(86_400)
    assert silent(watch, clock, 10) is Silence.FROZEN
