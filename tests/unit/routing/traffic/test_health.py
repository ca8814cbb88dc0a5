"""A model that fails or refuses is paused, and wins its traffic back by probes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_extproc.routing.traffic.health import (
    FAILURES_MAX,
    OPEN,
    OUTCOMES,
    PAUSE_MAX_S,
    PAUSE_MIN_S,
    PROBES,
    Health,
    Outcome,
)

YEAR_S = 365 * 24 * 3600.0


def failed(times: int = FAILURES_MAX, at_s: float = 0.0) -> Health:
    return OPEN.after("failed", times, at_s)


def test_one_failure_is_no_outage_and_three_in_a_row_are() -> None:
    assert failed(FAILURES_MAX - 1).state(0.0) == "open"
    assert failed().state(0.0) == "paused"


def test_a_success_between_failures_begins_the_count_anew() -> None:
    health = failed(FAILURES_MAX - 1).after("ok", 1, 1.0).after("failed", FAILURES_MAX - 1, 2.0)
    assert health.state(2.0) == "open"


def test_after_its_pause_it_gets_probes_and_then_all() -> None:
    health = failed()
    assert health.state(PAUSE_MIN_S - 0.1) == "paused"
    assert health.state(PAUSE_MIN_S) == "probing"
    health = health.after("ok", PROBES - 1, 3.0)
    assert health.state(3.0) == "probing"
    assert health.after("ok", 1, 3.1) == OPEN


def test_a_probe_that_fails_pauses_for_twice_as_long_up_to_a_bound() -> None:
    health, now_s, pauses = failed(), 0.0, []
    for _ in range(8):
        now_s = health.paused_until_s or 0.0
        health = health.after("failed", 1, now_s)
        pauses.append((health.paused_until_s or 0.0) - now_s)
    assert pauses[:3] == [4.0, 8.0, 16.0]
    assert max(pauses) == pauses[-1] == PAUSE_MAX_S


def test_answers_to_requests_sent_before_the_pause_change_nothing_of_it() -> None:
    """Many were on their way when the pool began to fail; they are no new outage each."""
    health = failed()
    assert health.after("failed", 50, 1.0).paused_until_s == health.paused_until_s
    assert health.after("ok", 1, 1.0).state(1.0) == "paused"


@pytest.mark.parametrize(
    ("said_s", "pause_s"),
    [(None, PAUSE_MIN_S), (0.0, PAUSE_MIN_S), (17.0, 17.0), (YEAR_S, PAUSE_MAX_S)],
)
def test_a_rate_limit_pauses_as_long_as_it_says_within_bounds(said_s: float | None, pause_s: float) -> None:
    health = OPEN.after("limited", 1, 5.0, said_s)
    assert health.paused_until_s == 5.0 + pause_s


def test_a_later_rate_limit_may_lengthen_a_pause_and_never_shortens_it() -> None:
    health = OPEN.after("limited", 1, 0.0, 30.0)
    assert health.after("limited", 1, 1.0, 1.0).paused_until_s == 30.0
    assert health.after("limited", 1, 1.0, 50.0).paused_until_s == 51.0


@settings(max_examples=100, deadline=None, database=None)
@given(
    st.lists(st.tuples(st.sampled_from(OUTCOMES), st.integers(1, 5), st.floats(0, 100), st.floats(0, 1e9)))
)
def test_no_pause_is_longer_than_the_bound_whatever_comes(
    steps: list[tuple[Outcome, int, float, float]],
) -> None:
    """Whoever answers, and however clocks go: a model is never lost for good."""
    health, latest_s = OPEN, 0.0
    for outcome, count, now_s, retry_s in steps:
        health, latest_s = health.after(outcome, count, now_s, retry_s), max(latest_s, now_s)
        assert health.state(latest_s + PAUSE_MAX_S) != "paused"
