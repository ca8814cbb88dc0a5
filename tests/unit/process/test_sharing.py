"""What workers share: one order for all, nothing lost, nothing twice."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from router_extproc.cache.base import Scope
from router_extproc.cache.false_hits.evidence import Evidence
from router_extproc.cache.false_hits.threshold import ShadowResult
from router_extproc.llm.answer import Answer, AnswerFacts, JsonValue
from router_extproc.pipeline.answer_homes import AnswerHomes, Home
from router_extproc.pipeline.caching.savings import EntryWorth, Savings, SavingsBatch, Worth
from router_extproc.process.json_pieces import json_pieces
from router_extproc.process.shared_ledger import SharedLedger
from router_extproc.process.shared_seen import SharedSeen
from router_extproc.process.shared_values import SharedEvidence
from router_extproc.process.sharing import EVENTS_MAX, Keeper, Member

HIT = EntryWorth("ab", "small", "maths", Worth(1, 0, 10, 5, 0.25))


class Noted:
    """A value that is the list of its events. Fits SharedValue."""

    name = "noted"
    everywhere = True

    def __init__(self) -> None:
        self.recorded: list[JsonValue] = []
        self.applied: list[JsonValue] = []

    def collect(self) -> list[JsonValue]:
        recorded, self.recorded = self.recorded, []
        return recorded

    def apply(self, event: JsonValue) -> None:
        self.applied.append(event)

    def kept(self) -> JsonValue:
        return [*self.applied]

    def take_back(self, kept: JsonValue) -> None:
        assert isinstance(kept, list)
        self.applied = kept


def written(value: SharedEvidence) -> JsonValue:
    """As it is read again."""
    kept: JsonValue = orjson.loads(b"".join(json_pieces(value.kept())))
    return kept


class Sidecar:
    """A keeper and members, with the way between them in this test's hands."""

    def __init__(self, members: int = 2) -> None:
        self.own = Noted()
        self.values = {worker: Noted() for worker in range(1, members + 1)}
        self.members = {worker: Member([value]) for worker, value in self.values.items()}
        self.away: set[int] = set()
        #: Their answers get lost on the way back.
        self.unheard: set[int] = set()
        self.keeper = Keeper([self.own], tuple(self.members), self.ask)

    async def ask(self, worker: int, message: bytes) -> bytes | None:
        if worker in self.away:
            return None
        answer = self.members[worker].answer(message)
        return None if worker in self.unheard else answer

    def restart(self, worker: int) -> None:
        self.values[worker] = Noted()
        self.members[worker] = Member([self.values[worker]])

    async def rounds(self, count: int = 3) -> None:
        for _ in range(count):
            await self.keeper.exchange()

    def applied(self) -> list[list[JsonValue]]:
        return [self.own.applied, *(value.applied for value in self.values.values())]


@pytest.fixture
def sidecar() -> Sidecar:
    return Sidecar()


async def test_every_worker_applies_the_events_of_all_in_one_order(sidecar: Sidecar) -> None:
    for worker, value in sidecar.values.items():
        value.recorded += [f"{worker} first", f"{worker} second"]
    sidecar.own.recorded.append("own")
    await sidecar.rounds()
    own, *others = sidecar.applied()
    assert sorted(map(str, own)) == ["1 first", "1 second", "2 first", "2 second", "own"]
    assert others == [own, own]


async def test_an_answer_that_is_lost_is_told_again_and_counts_once(sidecar: Sidecar) -> None:
    sidecar.values[1].recorded.append("once")
    sidecar.unheard = {1}
    await sidecar.rounds(2)
    sidecar.unheard = set()
    await sidecar.rounds()
    assert sidecar.applied() == [["once"]] * 3


async def test_a_member_that_was_away_hears_what_it_missed(sidecar: Sidecar) -> None:
    await sidecar.rounds(2)
    sidecar.away = {2}
    sidecar.values[1].recorded.append("meanwhile")
    await sidecar.rounds()
    sidecar.away = set()
    await sidecar.rounds()
    assert sidecar.applied() == [["meanwhile"]] * 3


async def test_a_member_that_was_started_again_gets_the_state(sidecar: Sidecar) -> None:
    sidecar.values[2].recorded.append("before")
    await sidecar.rounds()
    sidecar.restart(2)
    sidecar.values[2].recorded.append("after")
    await sidecar.rounds()
    assert sidecar.applied() == [["before", "after"]] * 3


async def test_an_event_that_is_told_twice_counts_once() -> None:
    async def ask(_worker: int, _message: bytes) -> bytes:
        return orjson.dumps({"incarnation": "i", "events": [[1, "noted", "once"]]})

    value = Noted()
    keeper = Keeper([value], (1,), ask)
    for _ in range(2):
        await keeper.exchange()
    assert value.applied == ["once"]


def test_a_member_that_misses_events_asks_for_the_state() -> None:
    value = Noted()
    member = Member([value])
    member.answer(
        orjson.dumps({"keeper": "k", "state": {"noted": []}, "state_at": 3, "first": 3, "events": []})
    )
    told = orjson.loads(
        member.answer(orjson.dumps({"keeper": "k", "first": 5, "events": [["noted", "fifth"]]}))
    )
    assert (told["applied"], value.applied) == (None, [])


def test_a_member_does_not_go_on_where_another_keeper_was() -> None:
    value = Noted()
    member = Member([value])
    member.answer(
        orjson.dumps({"keeper": "k", "state": {"noted": []}, "state_at": 3, "first": 3, "events": []})
    )
    told = orjson.loads(
        member.answer(orjson.dumps({"keeper": "new", "first": 3, "events": [["noted", "of another order"]]}))
    )
    assert (told["applied"], value.applied) == (None, [])


async def test_what_is_ordered_while_a_state_is_encoded_is_told_once(sidecar: Sidecar) -> None:
    """The state is large: others answer the keeper meanwhile."""
    sidecar.own.applied = ["x" * 100] * 10_000
    sidecar.values[1].recorded = [str(number) for number in range(3)]
    sidecar.own.recorded = ["own"]
    await sidecar.rounds(5)
    first, *others = sidecar.applied()
    assert len(first) == 10_004
    assert others == [first] * 2


async def test_a_keeper_that_was_started_again_tells_its_state(sidecar: Sidecar) -> None:
    """What was not kept is gone everywhere: one state for all, whatever it is."""
    sidecar.values[1].recorded.append("before")
    await sidecar.rounds()
    kept = sidecar.own.kept()
    sidecar.own = Noted()
    sidecar.own.take_back(kept)
    sidecar.keeper = Keeper([sidecar.own], tuple(sidecar.members), sidecar.ask)
    sidecar.values[2].recorded.append("after")
    await sidecar.rounds()
    assert sidecar.applied() == [["before", "after"]] * 3


async def test_a_member_too_far_behind_gets_the_state(sidecar: Sidecar) -> None:
    await sidecar.rounds()
    sidecar.away = {2}
    sidecar.values[1].recorded += [str(number) for number in range(EVENTS_MAX)]
    await sidecar.rounds()
    sidecar.values[1].recorded += ["more", "and more"]
    await sidecar.rounds()
    sidecar.away = set()
    await sidecar.rounds()
    own, *others = sidecar.applied()
    assert len(own) == EVENTS_MAX + 2
    assert others == [own, own]


async def test_what_a_member_holds_for_an_absent_keeper_is_bounded(sidecar: Sidecar) -> None:
    member, value = sidecar.members[1], sidecar.values[1]
    for _ in range(3):
        value.recorded += ["event"] * EVENTS_MAX
        told = orjson.loads(member.answer(orjson.dumps({"keeper": "gone"})))
    assert len(told["events"]) == EVENTS_MAX


@pytest.mark.parametrize("answer", [b"", b"[]", b"{", b'{"events": [1]}', b'{"events": [["a", 1, 2]]}'])
async def test_a_member_that_answers_nonsense_harms_nobody(answer: bytes) -> None:
    async def ask(_worker: int, _message: bytes) -> bytes:
        return answer

    value = Noted()
    await Keeper([value], (1,), ask).exchange()
    assert value.applied == []


@pytest.mark.parametrize("message", [b"", b"[]", b'{"keeper": "k", "state": {}, "events": [1]}'])
def test_a_member_refuses_nonsense(message: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are of nobody's interest
        Member([Noted()]).answer(message)


async def test_a_stopping_member_waits_until_the_keeper_has_everything(sidecar: Sidecar) -> None:
    sidecar.values[1].recorded.append("last words")
    await sidecar.members[1].handed_over(0.0)
    await sidecar.rounds(2)
    await sidecar.members[1].handed_over(60.0)
    assert sidecar.own.applied == ["last words"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["record", "away", "unheard", "restart", "round"])))
)
async def test_whatever_happens_nothing_counts_twice_and_all_agree(steps: list[tuple[int, str]]) -> None:
    sidecar, recorded = Sidecar(3), 0
    for worker, step in steps:
        match step:
            case "record":
                recorded += 1
                sidecar.values[worker].recorded.append(recorded)
            case "away":
                sidecar.away ^= {worker}
            case "unheard":
                sidecar.unheard ^= {worker}
            case "restart":
                sidecar.restart(worker)
            case "round":
                await sidecar.rounds(1)
    sidecar.away, sidecar.unheard = set(), set()
    await sidecar.rounds()
    own, *others = sidecar.applied()
    assert len(set(map(str, own))) == len(own)
    assert others == [own] * 3


# ── the values ────────────────────────────────────────────────────────────────────────────────


def shared_evidence(*, alone: bool = False, basis: str = "encoder") -> tuple[Evidence, SharedEvidence]:
    evidence = Evidence(lambda _decision: 0.1)
    return evidence, SharedEvidence(evidence, basis=basis, alone=alone)


async def test_workers_learn_one_threshold_from_the_comparisons_of_all() -> None:
    mine, my_value = shared_evidence()
    other, other_value = shared_evidence()
    member = Member([other_value])

    async def ask(_worker: int, message: bytes) -> bytes:
        return member.answer(message)

    keeper = Keeper([my_value], (1,), ask)
    for _ in range(64):
        mine.record("maths", ShadowResult(0.999, wrong=False))
        other.record("maths", ShadowResult(0.999, wrong=False))
    other.record_feedback("maths", ShadowResult(0.5, wrong=True), source="client", scope=Scope("one"))
    for _ in range(3):
        await keeper.exchange()
    findings = [evidence.findings()["maths"] for evidence in (mine, other)]
    assert [found.latest.compared for found in findings] == [128, 128]
    assert [found.own.compared for found in findings] == [64, 64]
    assert findings[0].score_min == findings[1].score_min
    assert mine.kept() == other.kept()


def test_evidence_of_other_models_is_not_taken_back() -> None:
    evidence, value = shared_evidence(alone=True)
    evidence.record("maths", ShadowResult(0.9, wrong=True))
    same, same_value = shared_evidence(alone=True)
    other, other_value = shared_evidence(alone=True, basis="another encoder")
    same_value.take_back(written(value))
    other_value.take_back(written(value))
    assert same.findings()["maths"].latest.compared == 1
    assert other.findings() == {}


def test_kept_evidence_counts_no_comparison_twice() -> None:
    """The looks of the test go on where they were, and are not taken again."""
    evidence, value = shared_evidence(alone=True)
    for _ in range(100):
        evidence.record("maths", ShadowResult(0.999, wrong=False))
    evidence.record_feedback("maths", ShadowResult(0.5, wrong=True), source="client", scope=Scope("one"))
    again, again_value = shared_evidence(alone=True)
    again_value.take_back(written(value))
    for each in (evidence, again):
        for _ in range(28):
            each.record("maths", ShadowResult(0.999, wrong=False))
    assert again.kept() == evidence.kept()
    assert again.gate("maths", Scope("one")) == evidence.gate("maths", Scope("one"))


async def test_the_keeper_adds_up_what_members_saved_once() -> None:
    kept, moved = Savings(), Savings()
    member = Member([SharedLedger("savings", moved, TypeAdapter(SavingsBatch), keeper=False)])
    heard = iter((True, False, True, True, True, True, True))

    async def ask(_worker: int, message: bytes) -> bytes | None:
        answer = member.answer(message)
        return answer if next(heard) else None

    keeper = Keeper([SharedLedger("savings", kept, TypeAdapter(SavingsBatch), keeper=True)], (1,), ask)
    kept.add(HIT)
    for _ in range(5):
        moved.add(HIT)
        await keeper.exchange()
    await keeper.exchange()
    await keeper.exchange()
    assert (kept.total.hits, moved.total.hits) == (6, 0)
    assert [each.worth.hits for each in kept.most_valuable()] == [6]


def kept_answer(identity: str) -> Answer:
    return Answer(AnswerFacts(identity, "m", (), is_kept=True), {})


def shared_homes(homes: AnswerHomes) -> SharedSeen[Home]:
    return SharedSeen("answer_homes", homes, TypeAdapter(list[Home]))


async def test_every_worker_learns_who_gave_an_answer() -> None:
    """The next request of a conversation may come to any of them."""
    one, other, late = AnswerHomes(), AnswerHomes(), AnswerHomes()
    members = {1: Member([shared_homes(other)]), 2: Member([shared_homes(late)])}
    away = {2}

    async def ask(worker: int, message: bytes) -> bytes | None:
        return None if worker in away else members[worker].answer(message)

    keeper = Keeper([shared_homes(one)], tuple(members), ask)
    await keeper.exchange()
    one.note(kept_answer("resp_1"), "small")
    other.note(kept_answer("resp_2"), "large")
    for _ in range(3):
        await keeper.exchange()
    away.clear()
    late.note(kept_answer("resp_3"), "large")
    for _ in range(3):
        await keeper.exchange()
    found = [[homes.model_of(f"resp_{number}") for number in (1, 2, 3)] for homes in (one, other, late)]
    assert found == [["small", "large", "large"]] * 3


def test_what_is_no_home_of_an_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="valid list"):
        shared_homes(AnswerHomes()).take_back({"resp_1": "small"})
