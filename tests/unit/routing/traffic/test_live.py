"""Live traffic follows what answers show: speeds with hysteresis, failures with pauses."""

from __future__ import annotations

import pytest

from router_extproc.routing.catalogue import Target
from router_extproc.routing.selection.base import Candidate, Circumstances
from router_extproc.routing.selection.fastest import FastestSelection
from router_extproc.routing.traffic.answers import KEYS_MAX, RUNS_MAX, AnswerSeen, Batch
from router_extproc.routing.traffic.health import FAILURES_MAX, PAUSE_MAX_S, PAUSE_MIN_S
from router_extproc.routing.traffic.live import LOOK_S, REDRAW_S, SETTLE_S, Drawn, LiveTraffic
from router_extproc.routing.traffic.snapshot import Factors, TrafficSnapshot
from router_extproc.routing.traffic.sums import Speed, Sums
from router_extproc.testing.clock import ManualClock

NAMES = ("a", "b")
CANDIDATES = tuple(Candidate(Target(name, f"pool_{name}", name, None)) for name in NAMES)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def answer(live: LiveTraffic, model: str, ttft_s: float = 0.1, times: int = 1) -> None:
    for _ in range(times):
        live.answered(
            AnswerSeen(
                model, "d", "ok", ttft_s=ttft_s, duration_s=ttft_s + 1, prompt_tokens=100, answer_tokens=100
            )
        )


def fail(live: LiveTraffic, model: str, times: int = FAILURES_MAX) -> None:
    for _ in range(times):
        live.answered(AnswerSeen(model, "d", "failed"))


def fastest(live: LiveTraffic) -> str:
    known = Circumstances({}, TrafficSnapshot(models=live.view()), 100)
    return FastestSelection().choose(CANDIDATES, known).candidate.target.model


def test_nothing_is_known_without_answers(clock: ManualClock) -> None:
    seen = LiveTraffic(clock, NAMES).view()["a"]
    assert (seen.state, seen.available, seen.speed, seen.tokens, seen.load) == (
        "open",
        True,
        None,
        None,
        0,
    )


def test_a_decision_without_a_time_is_known_by_its_errors(clock: ManualClock) -> None:
    live = LiveTraffic(clock, NAMES)
    live.answered(AnswerSeen("a", "d", "failed"))
    assert (live.view()["a"].speed, live.known) == (None, (("a", "d"),))


def test_models_that_no_decision_chooses_among_are_not_followed(clock: ManualClock) -> None:
    live = LiveTraffic(clock, NAMES)
    live.forwarded("c", 0.0)
    live.ended("c", 0.0)
    answer(live, "c")
    live.apply(Batch(runs=[("c", "failed", 9, None)]), 0.0)
    assert live.view().keys() == {"a", "b"}
    assert not live.known


def test_a_model_that_fails_is_left_and_tried_again(clock: ManualClock) -> None:
    live = LiveTraffic(clock, NAMES)
    fail(live, "a")
    assert live.view()["a"].available is False
    assert live.pauses == {("a", "failed"): 1}
    clock.advance(PAUSE_MIN_S)
    assert (live.view()["a"].state, live.view()["a"].available) == ("probing", True)
    live.forwarded("a", clock.wall_s())
    assert live.view()["a"].available is False, "one probe at a time"
    clock.advance(0.5)
    assert live.view()["a"].available is True


def test_a_year_of_retry_after_is_a_minute(clock: ManualClock) -> None:
    live = LiveTraffic(clock, NAMES)
    live.answered(AnswerSeen("a", "d", "limited", retry_after_s=365 * 86400.0))
    assert live.view()["a"].state == "paused"
    clock.advance(PAUSE_MAX_S)
    assert live.view()["a"].state == "probing"


@pytest.mark.parametrize(
    ("factors", "outcome"), [(Factors(errors=False), "failed"), (Factors(rate_limits=False), "limited")]
)
def test_a_factor_that_is_off_pauses_nothing(clock: ManualClock, factors: Factors, outcome: str) -> None:
    live = LiveTraffic(clock, NAMES, factors)
    live.apply(Batch(runs=[("a", outcome, 9, None)]), 0.0)  # type: ignore[list-item] # one of the outcomes
    assert live.view()["a"].state == "open"


def test_latency_and_load_can_be_left_aside(clock: ManualClock) -> None:
    live = LiveTraffic(clock, NAMES, Factors(latency=False, load=False))
    answer(live, "a")
    live.forwarded("a", clock.wall_s())
    seen = live.view()["a"]
    assert (seen.speed, seen.load, seen.unmeasured, seen.tokens) == (None, 0, False, 100)


def test_what_is_in_flight_is_seen(clock: ManualClock) -> None:
    live = LiveTraffic(clock, NAMES)
    live.forwarded("a", clock.wall_s())
    assert live.view()["a"].load == 1
    live.ended("a", clock.wall_s())
    assert live.view()["a"].load == 0


def test_after_a_step_in_latency_the_preferred_model_changes_at_most_twice_a_minute(
    clock: ManualClock,
) -> None:
    """Even when every pool becomes slow as soon as it is preferred, as pools under load do."""
    live, changes, last = LiveTraffic(clock, NAMES), [], "a"
    answer(live, "a", 0.1, 20)
    answer(live, "b", 0.2, 20)
    for _ in range(240):
        preferred = fastest(live)
        if preferred != last:
            changes.append(clock.monotonic_s())
            last = preferred
        for name in NAMES:
            answer(live, name, 3.0 if name == preferred else 0.1)
        clock.advance(1.0)
    assert changes
    assert all(sum(start <= at < start + 60 for at in changes) <= 2 for start in changes)


def test_a_slow_pool_is_left_within_seconds_and_wins_its_traffic_back(clock: ManualClock) -> None:
    live = LiveTraffic(clock, NAMES)
    for _ in range(30):
        answer(live, "a", 0.1)
        answer(live, "b", 0.5)
        clock.advance(1.0)
    assert fastest(live) == "a"
    slow_s = clock.monotonic_s()
    while fastest(live) == "a":
        answer(live, "a", 5.0)
        clock.advance(0.5)
    assert clock.monotonic_s() - slow_s < 10
    chosen = []
    for _ in range(200):
        chosen.append(fastest(live))
        live.forwarded(chosen[-1], clock.wall_s())
        live.ended(chosen[-1], clock.wall_s())
        answer(live, chosen[-1], 0.1 if chosen[-1] == "a" else 0.5)
        clock.advance(1.0)
    assert 0 < chosen[:60].count("a") < 10, "a few requests measure it again"
    assert chosen[160:].count("a") > 35, "four of them outweigh that it was fifty times as slow"


def test_a_small_change_changes_nothing(clock: ManualClock) -> None:
    live = LiveTraffic(clock, NAMES)
    answer(live, "a", 0.1, 20)
    for _ in range(100):
        answer(live, "a", 0.2)
        clock.advance(1.0)
    assert live.redrawn == 0


def test_workers_that_apply_the_same_batches_agree(clock: ManualClock) -> None:
    sender, one, other = (LiveTraffic(clock, NAMES) for _ in range(3))
    sender.is_shared = True
    for step in range(20):
        answer(sender, "a", 0.1 * step)
        answer(sender, "b", 0.3)
        fail(sender, "b", step % 5)
        batch, at_s = sender.take_batch(), clock.monotonic_s()
        one.apply(batch, at_s)
        other.apply(batch, at_s)
        clock.advance(2.0)
        assert one.view() == other.view()
    assert not sender.known, "it waits until its own batch comes by"


def test_a_batch_keeps_the_latest_outcomes(clock: ManualClock) -> None:
    batch = Batch()
    for step in range(RUNS_MAX * 3):
        batch.add(AnswerSeen("a", "d", "ok" if step % 2 else "failed"))
    batch.add(AnswerSeen("a", "d", None))
    assert len(batch.runs) == RUNS_MAX
    live = LiveTraffic(clock, NAMES)
    live.apply(batch, 0.0)
    assert live.view()["a"].state == "open"


def test_what_is_followed_is_bounded(clock: ManualClock) -> None:
    """Decisions of policies long gone may still be in tokens."""
    live, batch = LiveTraffic(clock, NAMES), Batch()
    for number in range(KEYS_MAX + 5):
        batch.add(AnswerSeen("a", f"d{number}", "ok"))
    assert len(batch.sums) == KEYS_MAX
    live.apply(batch, 0.0)
    live.apply(Batch({("a", "more"): Sums(1.0), ("gone", "d"): Sums(1.0)}), 0.0)
    assert len(live.known) == KEYS_MAX


def test_another_policy_forgets_models_that_are_gone(clock: ManualClock) -> None:
    live = LiveTraffic(clock, NAMES)
    for name in NAMES:
        answer(live, name)
        fail(live, name)
    live.follow(["b", "c"], Factors())
    assert {model for model, _ in live.known} == {"b"}
    assert live.view().keys() == {"b", "c"}
    assert live.view()["b"].state == "paused"
    live.follow(["a", "b"], Factors())
    assert live.view()["a"].state == "open"


def test_a_state_that_is_taken_back_is_the_state(clock: ManualClock) -> None:
    live, other = LiveTraffic(clock, NAMES), LiveTraffic(clock, NAMES)
    answer(live, "a", 0.5, 9)
    fail(live, "b")
    now_s = clock.monotonic_s()
    sums = {key: live.sums_at(key, now_s) for key in live.known}
    health = {model: live.health_of(model) for model in (*NAMES, "gone")}
    other.take_back(sums, health, {**live.drawn, "gone": Drawn(Speed(0, 0, 0), None)})
    assert other.view()["a"].speed == live.view()["a"].speed
    assert other.view()["b"] == live.view()["b"]
    assert "gone" not in other.drawn
    other.take_back({}, {}, {})
    assert other.view()["a"].speed is None


def test_what_is_seen_later_is_not_in_a_state_that_was_taken_before(clock: ManualClock) -> None:
    """It is written later, and a worker that takes it back hears of later answers one by one."""
    live = LiveTraffic(clock, NAMES)
    answer(live, "a", 0.5, 9)
    now_s = clock.monotonic_s()
    before = {key: live.sums_at(key, now_s) for key in live.known}
    taken = live.sums_at_all(now_s)
    clock.advance(5.0)
    answer(live, "a", 0.5, 9)
    answer(live, "b", 0.5, 9)
    assert dict(taken) == before


def test_a_step_is_seen_without_what_was_before_it(clock: ManualClock) -> None:
    """Else the one look in half a minute would see a pool that is hardly slower."""
    live = LiveTraffic(clock, NAMES)
    for _ in range(120):
        answer(live, "a", 0.1, 3)
        answer(live, "b", 0.5, 3)
        clock.advance(0.5)
    stepped_s = clock.monotonic_s()
    while live.redrawn == 0:
        answer(live, "a", 3.0, 3)
        clock.advance(0.5)
    assert clock.monotonic_s() - stepped_s < 2 * SETTLE_S
    assert live.drawn["a"].speed.ttft_s(0) > 1.5
    assert fastest(live) == "b"


def test_a_change_that_is_over_before_it_has_settled_is_none(clock: ManualClock) -> None:
    live = LiveTraffic(clock, NAMES)
    answer(live, "a", 0.1, 20)
    answer(live, "a", 2.0, 3)
    clock.advance(1.0)
    answer(live, "a", 0.1, 100)
    for _ in range(20):
        clock.advance(1.0)
        answer(live, "a", 0.1, 10)
    assert live.redrawn == 0


def test_speeds_are_looked_at_again_after_a_while(clock: ManualClock) -> None:
    live = LiveTraffic(clock, NAMES)
    for ttft_s, redrawn in ((0.1, 0), (2.0, 1), (20.0, 1)):
        answer(live, "a", ttft_s, 50)
        for wait_s in (LOOK_S, SETTLE_S):
            clock.advance(wait_s)
            answer(live, "a", ttft_s)
        assert live.redrawn == redrawn
    clock.advance(REDRAW_S)
    answer(live, "a", 20.0)
    assert live.redrawn == 2
