"""Costs of all workers, and over a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from router_extproc.llm.answer import JsonValue, Usage
from router_extproc.pipeline.baseline import Compared
from router_extproc.pipeline.costs import Amounts, CostLedger, Counted
from router_extproc.process.kept_state import KeptState
from router_extproc.process.shared_costs import SharedCosts
from router_extproc.process.sharing import Keeper, Member

ANSWER = Counted.of("small", "easy", "pool", Usage(4, 3), Compared("large", 0.5, 2.0, 1.0, 4.0), "search")
ONE = Amounts(0.5, 2.0, 1.0, 4.0, 0.0, 4, 3)


def ledger(answers: int) -> CostLedger:
    """One that has counted some answers, each of a decision with a tag."""
    made = CostLedger()
    for _ in range(answers):
        assert ANSWER is not None
        made.add(ANSWER, ("team",))
    return made


async def test_the_keeper_adds_up_what_all_workers_count_and_each_answer_once() -> None:
    """The second worker's answers to the keeper get lost at first."""
    own, others = ledger(1), {1: ledger(2), 2: ledger(4)}
    members = {worker: Member([SharedCosts(each, keeper=False)]) for worker, each in others.items()}
    lost = [2, 2]

    async def ask(worker: int, message: bytes) -> bytes | None:
        answer = members[worker].answer(message)
        if worker in lost:
            lost.remove(worker)
            return None
        return answer

    keeper = Keeper([SharedCosts(own, keeper=True)], tuple(members), ask)
    for _ in range(5):
        await keeper.exchange()
    assert {account.group: amounts for account, amounts in own.accounts.items()} == dict.fromkeys(
        ("decision", "tag", "tenant"), Amounts(3.5, 14.0, 7.0, 28.0, 0.0, 28, 21)
    )
    assert not any(each.accounts for each in others.values())


def test_a_restarted_keeper_knows_what_it_knew(tmp_path: Path) -> None:
    before, again = ledger(1), CostLedger()
    KeptState(tmp_path, [SharedCosts(before, keeper=True)]).write()
    KeptState(tmp_path, [SharedCosts(again, keeper=True)]).read()
    assert again.accounts == before.accounts
    assert set(again.accounts.values()) == {ONE}


@pytest.mark.parametrize("kept", [5, {"accounts": 5}, {"accounts": [[{"group": "x"}, {}]]}])
def test_what_cannot_be_read_is_no_state(kept: JsonValue) -> None:
    own = ledger(1)
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own is one
        SharedCosts(own, keeper=True).take_back(kept)
    assert len(own.accounts) == 3


def test_a_state_of_before_has_no_costs(tmp_path: Path) -> None:
    (tmp_path / "shared.json").write_text('{"format": "router-extproc state 1", "values": {}}')
    own = CostLedger()
    with capture_logs() as lines:
        KeptState(tmp_path, [SharedCosts(own, keeper=True)]).read()
    assert (dict(own.accounts), lines) == ({}, [])
