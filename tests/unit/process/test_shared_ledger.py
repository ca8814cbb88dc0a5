"""What ledgers of all workers have counted, and over a restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from structlog.testing import capture_logs

from router_extproc.llm.answer import JsonValue, Usage
from router_extproc.pipeline.baseline import Compared
from router_extproc.pipeline.caching.savings import EntryWorth, Savings, SavingsBatch, Worth
from router_extproc.pipeline.costs import CostLedger, CostsBatch, Counted
from router_extproc.pipeline.evaluation.outcomes import Evaluated, OutcomeLedger, OutcomesBatch
from router_extproc.process.json_pieces import json_pieces
from router_extproc.process.kept_state import KeptState
from router_extproc.process.shared_ledger import SharedLedger
from router_extproc.process.sharing import Keeper, Member

ANSWER = Counted.of("small", "easy", "pool", Usage(4, 3), Compared("large", 0.5, 2.0, 1.0, 4.0), "search")
JUDGED = Evaluated("easy", "large", "small", "better", (4.0, 1.0), "strict", 0.5)
HIT = EntryWorth("ab", "small", "maths", Worth(1, 0, 10, 5, 0.25))


def costs(answers: int) -> CostLedger:
    """Of answers of a decision with a tag."""
    made = CostLedger()
    for _ in range(answers):
        assert ANSWER is not None
        made.add(ANSWER, ("team",))
    return made


def evaluations(ended: int) -> OutcomeLedger:
    made = OutcomeLedger()
    for _ in range(ended):
        made.add(JUDGED)
    return made


def savings(hits: int) -> Savings:
    made = Savings()
    for _ in range(hits):
        made.add(HIT)
    return made


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of ledger."""

    #: One that has counted so many things. Any: each kind has a batch of its own.
    counted: Callable[[int], Any]
    batch: type[Any]
    #: The JSON of one that has counted a single thing: other workers and the state folder hold it.
    written: str
    unreadable: JsonValue

    def shared(self, ledger: Any, *, keeper: bool = True) -> SharedLedger[Any]:
        return SharedLedger("ledger", ledger, TypeAdapter(self.batch), keeper=keeper)


COSTS = """{"accounts": [
    [{"group": "decision", "name": "easy", "source": "pool", "model": "small", "baseline": "large"}, AMOUNTS],
    [{"group": "tag", "name": "team", "source": "pool", "model": "", "baseline": "large"}, AMOUNTS],
    [{"group": "tenant", "name": "search", "source": "pool", "model": "", "baseline": "large"}, AMOUNTS]
]}""".replace(
    "AMOUNTS",
    """{"own": 0.5, "expected": 2.0, "low": 1.0, "high": 4.0, "unthought": 0.0,
    "prompt_tokens": 4, "completion_tokens": 3, "unthought_tokens": 0.0}""",
)
EVALUATIONS = """{"sums": [[
    {"decision": "easy", "model": "large", "shadow_model": "small", "judge": "strict"},
    {"same": 0, "different": 0, "better": 1, "equal": 0, "worse": 0, "unreadable": 0, "left": 0,
    "priced": 1, "given_cost": 4.0, "shadow_cost": 1.0, "judge_cost": 0.5}
]]}"""
SAVINGS = """{"total": WORTH, "entries": [
    {"fingerprint": "ab", "model": "small", "decision": "maths", "worth": WORTH}
]}""".replace(
    "WORTH",
    """{"hits": 1, "unmeasured_hits": 0, "prompt_tokens": 10, "completion_tokens": 5, "cost": 0.25}""",
)
KINDS = {
    "costs": Kind(costs, CostsBatch, COSTS, {"accounts": [[{"group": "x"}, {}]]}),
    "evaluations": Kind(evaluations, OutcomesBatch, EVALUATIONS, {"sums": [[{"model": "x"}, {}]]}),
    "savings": Kind(savings, SavingsBatch, SAVINGS, {"total": {"hits": "many"}}),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param
    return made


async def test_the_keeper_adds_up_what_all_workers_count_and_each_once(kind: Kind) -> None:
    """The second worker's answers to the keeper get lost at first."""
    own, others = kind.counted(1), {1: kind.counted(2), 2: kind.counted(4)}
    members = {worker: Member([kind.shared(each, keeper=False)]) for worker, each in others.items()}
    lost = [2, 2]

    async def ask(worker: int, message: bytes) -> bytes | None:
        answer = members[worker].answer(message)
        if worker in lost:
            lost.remove(worker)
            return None
        return answer

    keeper = Keeper([kind.shared(own)], tuple(members), ask)
    for _ in range(5):
        await keeper.exchange()
    assert own.batch() == kind.counted(7).batch()
    assert all(each.empty for each in others.values())


def test_what_the_keeper_itself_counts_stays_where_it_is(kind: Kind) -> None:
    own = kind.counted(2)
    assert kind.shared(own).collect() == []
    assert own.batch() == kind.counted(2).batch()


async def test_a_restarted_keeper_knows_what_it_knew(kind: Kind, tmp_path: Path) -> None:
    before, again = kind.counted(3), kind.counted(0)
    await KeptState(tmp_path, [kind.shared(before)]).write()
    KeptState(tmp_path, [kind.shared(again)]).read()
    assert again.batch() == before.batch() != kind.counted(0).batch()


def test_what_is_kept_and_shared_is_read_by_the_next_release(kind: Kind) -> None:
    """And this one reads what earlier ones wrote."""
    written = json.loads(kind.written)
    assert json.loads(b"".join(json_pieces(kind.shared(kind.counted(1)).kept()))) == written
    assert kind.shared(kind.counted(1), keeper=False).collect() == [written]


@pytest.mark.parametrize("number", [True, False])
def test_what_cannot_be_read_is_no_state_and_the_own_one_stays(kind: Kind, *, number: bool) -> None:
    own = kind.counted(1)
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own is one
        kind.shared(own).take_back(5 if number else kind.unreadable)
    assert own.batch() == kind.counted(1).batch()


def test_a_state_of_before_a_ledger_leaves_it_empty(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "shared.json").write_text('{"format": "router-extproc state 1", "values": {}}')
    own = kind.counted(0)
    with capture_logs() as lines:
        KeptState(tmp_path, [kind.shared(own)]).read()
    assert (own.empty, lines) == (True, [])
