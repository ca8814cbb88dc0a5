"""Requests in flight are counted over workers, and forgotten when their answers are never seen."""

from __future__ import annotations

from router_extproc.routing.traffic.load import ANSWERED_WITHIN_S, KEYS_MAX, Load


def test_what_is_forwarded_is_in_flight_until_it_is_answered() -> None:
    flying = Load()
    for _ in range(3):
        flying.forwarded("a", 100.0)
    flying.answered("a", 100.0)
    assert flying.of(["a", "b"], 101.0) == {"a": 2, "b": 0}


def test_another_worker_may_see_the_answer() -> None:
    """Neither knows of the other's requests until they have told each other."""
    one, other = Load(), Load()
    one.forwarded("a", 100.0)
    other.answered("a", 100.0)
    assert other.of(["a"], 100.0) == {"a": 0}
    one.add(other.unsent())
    other.add(one.unsent())
    assert one.of(["a"], 100.0) == other.of(["a"], 100.0) == {"a": 0}
    assert (one.unsent(), other.unsent()) == ([], [])


def test_a_request_whose_answer_nobody_sees_is_forgotten() -> None:
    flying = Load()
    flying.forwarded("a", 100.0)
    assert flying.of(["a"], 100.0 + ANSWERED_WITHIN_S - 10) == {"a": 1}
    assert flying.of(["a"], 100.0 + ANSWERED_WITHIN_S + 10) == {"a": 0}


def test_a_clock_that_jumps_back_leaves_nothing_behind() -> None:
    flying = Load()
    flying.forwarded("a", 1e9)
    assert flying.of(["a"], 100.0) == {"a": 0}
    flying.forwarded("a", 100.0)
    assert flying.of(["a"], 100.0) == {"a": 1}


def test_what_is_counted_is_bounded() -> None:
    flying = Load()
    flying.add([("a", time, 1) for time in range(KEYS_MAX + 10)])
    for time in range(10):
        flying.forwarded(f"m{time}", 0.0)
    assert flying.of(["m9"], 0.0) == {"m9": 0}
