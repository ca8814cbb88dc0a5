"""Shadow evaluations of all workers, and over a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.evaluation.outcomes import Evaluated, OutcomeLedger, Outcomes, Pair
from router_extproc.process.kept_state import KeptState
from router_extproc.process.shared_evaluations import SharedEvaluations
from router_extproc.process.sharing import Keeper, Member

SAME = Evaluated("easy", "large", "small", "same", (4.0, 1.0))
JUDGED = Evaluated("easy", "large", "small", "better", (4.0, 1.0), "strict", 0.5)
OF_NOBODY, OF_JUDGE = Pair("easy", "large", "small"), Pair("easy", "large", "small", "strict")


def ledger(evaluations: int) -> OutcomeLedger:
    """One that has counted as many of each kind."""
    made = OutcomeLedger()
    for _ in range(evaluations):
        made.add(SAME)
        made.add(JUDGED)
    return made


def sums(evaluations: int) -> dict[Pair, Outcomes]:
    costs = {"priced": evaluations, "given_cost": 4.0 * evaluations, "shadow_cost": 1.0 * evaluations}
    return {
        OF_NOBODY: Outcomes(same=evaluations, **costs),
        OF_JUDGE: Outcomes(better=evaluations, judge_cost=0.5 * evaluations, **costs),
    }


async def test_the_keeper_adds_up_what_all_workers_count_and_each_once() -> None:
    """The second worker's answers to the keeper get lost at first."""
    own, others = ledger(1), {1: ledger(2), 2: ledger(4)}
    members = {worker: Member([SharedEvaluations(each, keeper=False)]) for worker, each in others.items()}
    lost = [2, 2]

    async def ask(worker: int, message: bytes) -> bytes | None:
        answer = members[worker].answer(message)
        if worker in lost:
            lost.remove(worker)
            return None
        return answer

    keeper = Keeper([SharedEvaluations(own, keeper=True)], tuple(members), ask)
    for _ in range(5):
        await keeper.exchange()
    assert own.sums == sums(7)
    assert not any(each.sums for each in others.values())


def test_a_restarted_keeper_knows_what_it_knew(tmp_path: Path) -> None:
    again = OutcomeLedger()
    KeptState(tmp_path, [SharedEvaluations(ledger(3), keeper=True)]).write()
    KeptState(tmp_path, [SharedEvaluations(again, keeper=True)]).read()
    assert again.sums == sums(3)


@pytest.mark.parametrize("kept", [5, {"sums": 5}, {"sums": [[{"model": "x"}, {}]]}])
def test_what_cannot_be_read_is_no_state(kept: JsonValue) -> None:
    own = ledger(1)
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own is one
        SharedEvaluations(own, keeper=True).take_back(kept)
    assert own.sums == sums(1)
