"""The backend's health: what changes it, and what is told of it."""

from __future__ import annotations

from itertools import product

import pytest

from router_extproc.cache.health import (
    TRANSITIONS,
    WRITES_FAILED_MAX,
    BackendWatch,
    Event,
    Operation,
    Phase,
    SkipReason,
    Trouble,
)
from router_extproc.testing.clock import ManualClock


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.calls: list[tuple[object, ...]] = []

    def lost(self, trouble: Trouble, reason: str) -> None:
        self.told.append(("lost", trouble, reason))

    def ready(self, away_s: float | None) -> None:
        self.told.append(("ready", away_s))

    def writes_refused(self, trouble: Trouble | None) -> None:
        self.told.append(("writes", trouble))

    def called(self, operation: Operation, seconds: float, trouble: Trouble | None) -> None:
        self.calls.append((operation, seconds, trouble))

    def lookups_paused(self, *, paused: bool) -> None:
        self.told.append(("paused", paused))

    def skipped(self, reason: SkipReason) -> None:
        self.calls.append(("skipped", reason))

    def put_aside(self, folder: str, now: str) -> None:
        self.told.append(("aside", folder, now))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watch(clock: ManualClock, heard: Heard) -> BackendWatch:
    return BackendWatch(clock, heard)


def test_every_event_has_an_outcome_in_every_phase() -> None:
    assert set(TRANSITIONS) == set(product(Phase, Event))


def test_backend_that_opens_is_ready_and_told_once(watch: BackendWatch, heard: Heard) -> None:
    watch.opened()
    watch.opened()
    assert watch.health.phase is Phase.READY
    assert heard.told == [("ready", None)]


def test_backend_that_was_never_there_is_told_at_the_start(watch: BackendWatch, heard: Heard) -> None:
    watch.failed("unreachable", "nobody listens")
    assert watch.health.phase is Phase.LOST
    assert (watch.health.trouble, watch.health.reason) == ("unreachable", "nobody listens")
    assert heard.told == [("lost", "unreachable", "nobody listens")]


def test_a_loss_is_told_once_however_often_it_is_tried_again(
    watch: BackendWatch, heard: Heard, clock: ManualClock
) -> None:
    watch.opened()
    watch.broke("unreachable", "connection lost")
    for _ in range(100):
        watch.failed("unreachable", "nobody listens")
        clock.advance(5.0)
    watch.opened()
    assert heard.told == [("ready", None), ("lost", "unreachable", "nobody listens"), ("ready", 500.0)]


def test_another_reason_is_told_too_but_no_reason_twice(watch: BackendWatch, heard: Heard) -> None:
    for _ in range(10):
        watch.failed("unreachable", "nobody listens")
        watch.failed("tls", "another authority")
    assert heard.told == [("lost", "unreachable", "nobody listens"), ("lost", "tls", "another authority")]


def test_a_later_loss_is_told_anew(watch: BackendWatch, heard: Heard) -> None:
    for _ in range(2):
        watch.failed("timeout", "slow")
        watch.opened()
    assert [each[0] for each in heard.told] == ["lost", "ready", "lost", "ready"]


def test_connection_that_opens_again_at_once_was_never_lost(watch: BackendWatch, heard: Heard) -> None:
    watch.opened()
    watch.broke("unreachable", "connection lost")
    assert watch.health.phase is Phase.OPENING
    watch.opened()
    assert watch.health.phase is Phase.READY
    assert heard.told == [("ready", None)]


def test_phase_says_since_when(watch: BackendWatch, clock: ManualClock) -> None:
    began_s = clock.wall_s()
    clock.advance(10.0)
    watch.failed("full", "no room")
    clock.advance(10.0)
    watch.failed("full", "no room")
    assert watch.health.since_s == began_s + 10.0


def test_writes_that_fail_beside_a_good_connection_are_told_once(watch: BackendWatch, heard: Heard) -> None:
    watch.opened()
    for _ in range(5 * WRITES_FAILED_MAX):
        watch.called("write", 0.1, "full")
    assert watch.health.phase is Phase.READY
    assert watch.health.writes_trouble == "full"
    watch.called("write", 0.1, None)
    assert watch.health.writes_trouble is None
    assert heard.told == [("ready", None), ("writes", "full"), ("writes", None)]


def test_one_failed_write_may_be_chance(watch: BackendWatch, heard: Heard) -> None:
    for _ in range(5):
        watch.called("write", 0.1, "full")
        watch.called("write", 0.1, None)
    assert heard.told == []


def test_failed_lookups_are_no_matter_of_writes(watch: BackendWatch, heard: Heard) -> None:
    for _ in range(5):
        watch.called("search", 0.1, "timeout")
    assert heard.told == []
    assert heard.calls == [("search", 0.1, "timeout")] * 5


def test_calls_are_timed(watch: BackendWatch, heard: Heard, clock: ManualClock) -> None:
    ended = watch.timed("get")
    clock.advance(0.5)
    ended(None)
    assert heard.calls == [("get", 0.5, None)]


def test_paused_lookups_are_part_of_the_health_whatever_the_connection_does(
    watch: BackendWatch, heard: Heard
) -> None:
    watch.pause_lookups(True)
    watch.broke("timeout", "slow")
    assert watch.health.lookups_paused
    watch.pause_lookups(False)
    assert not watch.health.lookups_paused
    assert heard.told == [("paused", True), ("paused", False)]


def test_health_survives_without_a_listener(clock: ManualClock) -> None:
    watch = BackendWatch(clock)
    watch.failed("other", "")
    watch.opened()
    watch.called("write", 0.0, "full")
    watch.called("write", 0.0, "full")
    watch.pause_lookups(True)
    watch.skipped("busy")
    watch.listener.put_aside("a", "b")
    assert watch.health.phase is Phase.READY
