from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from router_extproc.telemetry.envoy_config import FORGET_S, OTHERS_MAX, EnvoyConfigWatch
from router_extproc.testing.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def watch(clock: ManualClock) -> EnvoyConfigWatch:
    return EnvoyConfigWatch("ours", clock)


def test_nothing_is_known_before_an_envoy_has_said_something(watch: EnvoyConfigWatch) -> None:
    """An Envoy without a digest was written by hand: that is no fault."""
    with capture_logs() as lines:
        watch.seen(None)
    assert (watch.matches, lines) == (None, [])


def test_ours_matches(watch: EnvoyConfigWatch) -> None:
    watch.seen("ours")
    assert watch.matches is True


def test_another_one_is_warned_of_once(watch: EnvoyConfigWatch) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            watch.seen("theirs")
            watch.seen("ours")
    (line,) = lines
    assert (line["log_level"], line["expected"], line["seen"]) == ("warning", "ours", "theirs")
    assert watch.matches is False
    assert watch.shown() == {"expected": "ours", "matches": False, "others": ["theirs"]}


def test_an_envoy_that_is_gone_is_forgotten(watch: EnvoyConfigWatch, clock: ManualClock) -> None:
    watch.seen("theirs")
    clock.advance(FORGET_S + 1)
    assert watch.matches is None
    watch.seen("ours")
    assert watch.matches is True


def test_no_number_of_digests_costs_memory(watch: EnvoyConfigWatch) -> None:
    with capture_logs():
        for number in range(5 * OTHERS_MAX):
            watch.seen(str(number) * 1000)
    shown = watch.shown()["others"]
    assert isinstance(shown, list)
    assert len(shown) <= OTHERS_MAX
    assert all(len(str(each)) <= 64 for each in shown)
