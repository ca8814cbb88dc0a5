"""Outcomes are added up, aged and bounded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.routing.outcomes import limits, live
from router_extproc.routing.outcomes.live import KeptOutcomes, LiveOutcomes
from router_extproc.routing.outcomes.seen import (
    NO_OUTCOMES,
    DecisionOutcomes,
    Learning,
    ModelOutcomes,
    OutcomeBasis,
    OutcomeSeen,
    OutcomeSums,
)
from router_extproc.testing.clock import ManualClock

DAY_S = 86_400.0
#: When a window begins.
START_S = (ManualClock().wall_s() // DAY_S + 1) * DAY_S
LEARNING = Learning(frozenset(["small", "large"]), DAY_S, 3)


def outcomes(clock: ManualClock | None = None, **learning: Learning) -> LiveOutcomes:
    """Of decision `d`, unless others are named."""
    made = LiveOutcomes(clock or ManualClock())
    made.follow(learning or {"d": LEARNING})
    return made


def seen(who: str, at_s: float = START_S, *, good: bool = True, model: str = "small") -> OutcomeSeen:
    """Of a session and a client of this name."""
    return OutcomeSeen("d", model, "heard", good, OutcomeBasis(f"client {who}", f"session {who}", 0.8), at_s)


def heard(of: LiveOutcomes, model: str = "small") -> OutcomeSums:
    return of.of("d").of(model).heard


def test_outcomes_are_added_up_by_model_and_source() -> None:
    own = outcomes()
    own.hear(seen("a"))
    own.hear(seen("b", good=False))
    own.hear(replace(seen("a", model="large"), source="judged"))
    assert own.of("d") == DecisionOutcomes(
        {
            "small": ModelOutcomes(heard=OutcomeSums(1.0, 1.0, 1.6)),
            "large": ModelOutcomes(judged=OutcomeSums(1.0, 0.0, 0.8)),
        },
        3,
    )
    assert heard(own).count == 2.0
    assert own.of("other") == NO_OUTCOMES


def test_an_outcome_counts_half_after_its_half_life() -> None:
    clock = ManualClock()
    own, start_s = outcomes(clock), clock.wall_s()
    own.hear(seen("a", start_s))
    clock.advance(DAY_S)
    assert heard(own).good == pytest.approx(0.5)
    own.hear(seen("b", start_s + DAY_S))
    assert heard(own).good == pytest.approx(1.5)


def test_a_session_tells_the_same_once_in_a_window() -> None:
    own = outcomes()
    for good in (True, True, False, False):
        own.hear(seen("a", good=good))
    assert (heard(own).good, heard(own).bad) == (1.0, 1.0)
    assert own.left == {("d", "session"): 2}
    own.hear(seen("a", START_S + DAY_S))
    assert own.of("d").version == 3


def test_a_client_with_many_sessions_counts_so_often_as_it_may() -> None:
    """One tenant cannot steer another one's routing by flooding feedback."""
    own = outcomes()
    for number in range(100):
        own.hear(replace(seen(str(number), good=False), basis=OutcomeBasis("flood", str(number), 0.8)))
    own.hear(seen("b"))
    assert (heard(own).good, heard(own).bad) == (1.0, 3.0)
    assert own.left == {("d", "client"): 97}


def test_what_is_judged_is_not_the_clients_own_word() -> None:
    own = outcomes()
    for number in range(9):
        own.hear(replace(seen("a"), source="judged", basis=OutcomeBasis("one", str(number), 0.8)))
    own.hear(replace(seen("a"), basis=OutcomeBasis("one", "x", 0.8)))
    assert own.of("d").version == 10


def test_no_more_outcomes_count_in_a_window_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OUTCOMES_MAX", 5)
    own = outcomes()
    for number in range(9):
        own.hear(seen(str(number)))
    assert own.of("d").version == 5
    assert own.left == {("d", "all"): 4}


def test_a_clock_that_was_far_ahead_leaves_no_window_closed() -> None:
    own = outcomes()
    for at_s in (START_S + 400 * DAY_S, START_S + 400 * DAY_S, START_S):
        own.hear(seen("a", at_s))
    assert own.left == {("d", "session"): 1}
    assert own.of("d").version == 2


def test_what_comes_a_little_late_counts_in_the_present_window() -> None:
    own = outcomes()
    own.hear(seen("a", START_S + 1))
    own.hear(seen("a", START_S - 1))
    assert own.left == {("d", "session"): 1}


@pytest.mark.parametrize(
    "unsound",
    [
        replace(seen("a"), decision="other"),
        replace(seen("a"), model="other"),
        replace(seen("a"), at_s=float("nan")),
        replace(seen("a"), at_s=-1.0),
        replace(seen("a"), basis=OutcomeBasis("a", "b", 1.5)),
        replace(seen("a"), basis=OutcomeBasis("a" * 65, "b", 0.5)),
        replace(seen("a"), basis=OutcomeBasis("a", "b" * 65, 0.5)),
    ],
)
def test_what_cannot_be_true_does_not_count(unsound: OutcomeSeen) -> None:
    own = outcomes()
    own.apply(unsound)
    assert own.of("d") == NO_OUTCOMES


def test_shared_outcomes_wait_to_be_told_and_do_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WAITING_MAX", 2)
    own = outcomes()
    own.is_shared = True
    for who in "abc":
        own.hear(seen(who))
    assert own.of("d") == NO_OUTCOMES
    assert list(own.take_new()) == [seen("b"), seen("c")]
    assert not own.take_new()


def test_a_reload_keeps_what_is_known_of_what_stays() -> None:
    own = outcomes(d=LEARNING, e=LEARNING)
    own.hear(seen("a"))
    own.hear(seen("a", model="large"))
    own.hear(replace(seen("a"), decision="e"))
    own.follow({"d": replace(LEARNING, models=frozenset(["small", "new"]))})
    assert own.of("d").models.keys() == {"small"}
    assert own.of("e") == NO_OUTCOMES
    own.follow({"d": LEARNING, "e": LEARNING})
    assert own.of("e") == NO_OUTCOMES


def test_a_state_is_taken_back_with_its_limits() -> None:
    """Otherwise a client could tell the same again after each restart."""
    own, again = outcomes(), outcomes()
    own.hear(seen("a"))
    again.take_back(own.kept())
    assert again.of("d") == own.of("d")
    again.hear(seen("a"))
    assert again.left == {("d", "session"): 1}


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "other"},
        {"version": -1},
        {"at_s": float("inf")},
        {"sums": (("small", "heard", OutcomeSums(-1.0, 0.0, 0.0)),)},
        {"told": tuple(map(str, range(limits.OUTCOMES_MAX + 1)))},
        {"clients": {str(number): 1 for number in range(limits.OUTCOMES_MAX + 1)}},
    ],
)
def test_a_state_that_cannot_be_true_is_none(change: dict[str, object]) -> None:
    own = outcomes()
    own.hear(seen("a"))
    (kept,) = own.kept()
    fields = {name: getattr(kept, name) for name in KeptOutcomes.__slots__} | change
    own.take_back([KeptOutcomes(**fields)])
    assert own.of("d") == NO_OUTCOMES
