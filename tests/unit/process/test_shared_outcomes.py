"""Outcomes of all workers, and over a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.llm.answer import JsonValue
from router_extproc.process.kept_state import KeptState
from router_extproc.process.shared_outcomes import SharedOutcomes
from router_extproc.process.sharing import Keeper, Member
from router_extproc.routing.outcomes.live import LiveOutcomes
from router_extproc.routing.outcomes.seen import (
    NO_OUTCOMES,
    Learning,
    OutcomeBasis,
    OutcomeSeen,
    OutcomeSums,
)
from router_extproc.testing.clock import ManualClock


def outcomes() -> LiveOutcomes:
    made = LiveOutcomes(ManualClock())
    made.follow({"d": Learning(frozenset(["small"]), 86_400.0, 2)})
    return made


def seen(session: str) -> OutcomeSeen:
    at_s = ManualClock().wall_s()
    return OutcomeSeen("d", "small", "heard", False, OutcomeBasis("client", session, 0.8), at_s)


async def test_all_workers_know_what_one_has_heard_and_keep_to_one_limit() -> None:
    """A client's limit holds for all workers together."""
    own, other, late = outcomes(), outcomes(), outcomes()
    keeping, hearing, joining = (SharedOutcomes(each, alone=False) for each in (own, other, late))
    members = {1: Member([hearing])}

    async def ask(worker: int, message: bytes) -> bytes | None:
        return members[worker].answer(message) if worker in members else None

    keeper = Keeper([keeping], (1, 2), ask)
    other.hear(seen("a"))
    own.hear(seen("b"))
    other.hear(seen("c"))
    for _ in range(3):
        await keeper.exchange()
    members[2] = Member([joining])
    for _ in range(3):
        await keeper.exchange()
    assert own.of("d").of("small").heard.bad == 2.0
    assert own.of("d") == other.of("d") == late.of("d")


async def test_a_restarted_worker_knows_what_it_knew(tmp_path: Path) -> None:
    before, after = outcomes(), outcomes()
    keeping, reading = (SharedOutcomes(each, alone=True) for each in (before, after))
    before.hear(seen("a"))
    await KeptState(tmp_path, [keeping]).write()
    KeptState(tmp_path, [reading]).read()
    assert after.of("d") == before.of("d")
    assert after.of("d").of("small").heard == OutcomeSums(0.0, 1.0, 0.8)
    assert not keeping.collect()


@pytest.mark.parametrize("kept", [5, [{"decision": "d"}], [[1]]])
def test_what_cannot_be_read_is_no_state(kept: JsonValue) -> None:
    own = outcomes()
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own is one
        SharedOutcomes(own, alone=True).take_back(kept)
    with pytest.raises(ValueError):  # noqa: PT011
        SharedOutcomes(own, alone=True).apply(kept)
    assert own.of("d") == NO_OUTCOMES
