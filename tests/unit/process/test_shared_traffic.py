"""Workers tell each other what they see of pools, and none believes everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from router_extproc.process.json_pieces import json_pieces
from router_extproc.process.shared_traffic import SharedTraffic
from router_extproc.process.sharing import Keeper, Member
from router_extproc.routing.traffic.answers import AnswerSeen
from router_extproc.routing.traffic.health import PAUSE_MIN_S
from router_extproc.routing.traffic.live import LiveTraffic
from router_extproc.testing.clock import ManualClock

OK = AnswerSeen("a", "d", "ok", ttft_s=0.5, duration_s=1.5, prompt_tokens=10, answer_tokens=100)
FAILED = AnswerSeen("b", "d", "failed")


def worker(clock: ManualClock, number: int, *, alone: bool = False) -> tuple[LiveTraffic, SharedTraffic]:
    live = LiveTraffic(clock, ("a", "b"))
    return live, SharedTraffic(live, clock, worker=number, alone=alone)


def written(shared: SharedTraffic) -> Any:
    """As it is read again."""
    return orjson.loads(b"".join(json_pieces(shared.kept())))


async def test_any_worker_knows_after_two_rounds_what_any_other_saw() -> None:
    clock = ManualClock()
    (keeper_live, kept), (one_live, one), (other_live, other) = (worker(clock, number) for number in range(3))
    members = {1: Member([one]), 2: Member([other])}

    async def ask(number: int, message: bytes) -> bytes | None:
        return members[number].answer(message)

    keeper = Keeper([kept], (1, 2), ask)
    await keeper.exchange()
    for _ in range(3):
        one_live.answered(FAILED)
    other_live.answered(OK)
    one_live.forwarded("a", clock.wall_s())
    other_live.forwarded("a", clock.wall_s())
    for _ in range(2):
        clock.advance(0.4)
        await keeper.exchange()
    views = [live.view() for live in (keeper_live, one_live, other_live)]
    assert all(view["b"].state == "paused" for view in views)
    assert all(view["a"].speed == views[0]["a"].speed is not None for view in views)
    assert [view["a"].load for view in views] == [2, 2, 2]


async def test_a_worker_that_starts_later_gets_the_whole_state() -> None:
    clock = ManualClock()
    (keeper_live, kept), (late_live, late) = worker(clock, 0), worker(clock, 1)
    member: list[Member] = []

    async def ask(number: int, message: bytes) -> bytes | None:
        return member[0].answer(message) if number and member else None

    keeper = Keeper([kept], (1,), ask)
    keeper_live.answered(OK)
    for _ in range(3):
        keeper_live.answered(FAILED)
    await keeper.exchange()
    member.append(Member([late]))
    await keeper.exchange()
    assert late_live.view()["b"].state == "paused"
    assert late_live.view()["a"].speed == keeper_live.view()["a"].speed


def test_a_worker_alone_tells_nobody_and_knows_at_once() -> None:
    live, shared = worker(ManualClock(), 0, alone=True)
    live.answered(OK)
    assert live.view()["a"].speed is not None
    assert shared.collect() == []


def test_nothing_is_told_of_nothing() -> None:
    _, shared = worker(ManualClock(), 0)
    assert shared.collect() == []


@pytest.mark.parametrize("jump_s", [0.0, -5000.0])
def test_a_restarted_worker_knows_what_it_knew(jump_s: float) -> None:
    """Also when the wall clock went back meanwhile."""
    clock = ManualClock()
    live, shared = worker(clock, 0, alone=True)
    live.answered(OK)
    for _ in range(3):
        live.answered(FAILED)
    kept = written(shared)
    later = ManualClock()
    later.set_wall_on(jump_s)
    again, shared_again = worker(later, 0, alone=True)
    shared_again.take_back(kept)
    assert again.view()["a"].speed == live.view()["a"].speed
    assert again.view()["b"].state == "paused"
    later.advance(PAUSE_MIN_S)
    assert again.view()["b"].state == "probing"


def test_what_is_old_when_it_is_taken_back_has_aged() -> None:
    clock = ManualClock()
    live, shared = worker(clock, 0, alone=True)
    for _ in range(3):
        live.answered(FAILED)
    kept = written(shared)
    clock.advance(3600)
    again, shared_again = worker(clock, 0, alone=True)
    shared_again.take_back(kept)
    assert again.view()["b"].state == "probing"
    assert again.sums_at(("b", "d"), clock.monotonic_s()).errors < 1e-6


GOOD: dict[str, Any] = {"worker": 1, "at": 0.0, "sums": [], "runs": [], "load": []}


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        GOOD | {"at": "now"},
        GOOD | {"at": float("nan")},
        GOOD | {"sums": [["a", "d", [1.0]]]},
        GOOD | {"sums": [["a", "d", [-1.0] * 12]]},
        GOOD | {"sums": [["a"]]},
        GOOD | {"runs": [["a", "splendid", 1, None]]},
        GOOD | {"runs": [["a", "ok"]]},
        GOOD | {"runs": [["a", "limited", 1, True]]},
        GOOD | {"load": [["a", 1, 10**9]]},
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(event: Any) -> None:
    live, shared = worker(ManualClock(), 0)
    with pytest.raises(ValueError):  # noqa: PT011 - the message is for developers
        shared.apply(event)
    assert not live.known


@pytest.mark.parametrize("at_s", [-1e9, 1e9])
def test_a_batch_from_the_past_or_the_future_counts_as_one_of_now(at_s: float) -> None:
    clock = ManualClock()
    live, shared = worker(clock, 0)
    shared.apply(GOOD | {"at": at_s, "runs": [["b", "limited", 1, 1e12]]})
    assert live.view()["b"].state == "paused"
    clock.advance(60.0)
    assert live.view()["b"].state == "probing"


@pytest.mark.parametrize(
    "break_it",
    [
        lambda kept: kept.update(wall=None),
        lambda kept: kept.update(sums=None),
        lambda kept: kept["paused"].update(b=3),
        lambda kept: kept["drawn"].update(a={}),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(break_it: Callable[[Any], None]) -> None:
    live, shared = worker(ManualClock(), 0, alone=True)
    live.answered(OK)
    kept = written(shared)
    break_it(kept)
    with pytest.raises(ValueError):  # noqa: PT011 - the message is for developers
        shared.take_back(kept)
