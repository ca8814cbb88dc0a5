"""Vectors of one partition: the nearest are found, and nothing is lost while they regroup."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from router_extproc.cache.base import Fingerprint
from router_extproc.cache.near.ivf import IvfIndex, Rows
from router_extproc.cache.near.vectors import IndexSizes, Start, VectorIndex

DIM = 32


class Beside:
    """Keeps the work until a test does it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], IvfIndex | None], Future[IvfIndex | None]]] = []

    def __call__(self, work: Callable[[], IvfIndex | None]) -> Future[IvfIndex | None]:
        result: Future[IvfIndex | None] = Future()
        self.waiting.append((work, result))
        return result

    def do(self) -> None:
        for work, result in self.waiting:
            result.set_result(work())
        self.waiting.clear()


#: An index from some dozens on, groups from some hundreds on.
FEW = IndexSizes(listed_max=40, grouped_from=400, step=64)


def index_of(start: Start, *, is_ending: bool = False) -> VectorIndex:
    return VectorIndex(DIM, start=start, sizes=FEW, is_ending=lambda: is_ending)


def unit(rows: Rows) -> Rows:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def drawn(count: int, seed: int = 0) -> Rows:
    """Vectors around fifty topics, as questions are."""
    rng = np.random.default_rng(seed)
    topics = unit(rng.standard_normal((50, DIM), dtype=np.float32))
    noise = unit(rng.standard_normal((count, DIM), dtype=np.float32))
    return unit(topics[rng.integers(0, 50, count)] * 0.6 + noise * 0.8)


def reworded(rows: Rows, similarity: float) -> Rows:
    """A vector of this similarity beside each."""
    noise = np.random.default_rng(7).standard_normal(rows.shape, dtype=np.float32)
    across = unit(noise - (noise * rows).sum(axis=1, keepdims=True) * rows)
    return similarity * rows + np.float32(np.sqrt(1 - similarity**2)) * across


def key(number: int) -> Fingerprint:
    return Fingerprint(str(number))


def keys(numbers: range) -> list[Fingerprint]:
    return [key(number) for number in numbers]


def fill(index: VectorIndex, rows: Rows, first: int = 0) -> None:
    for number, row in enumerate(rows, first):
        index.put(key(number), row)


def nearest(index: VectorIndex, vector: Rows) -> str:
    return next((found for found, _ in index.nearest(vector, limit=1)), "")


def grouped(rows: Rows) -> tuple[VectorIndex, Beside]:
    """All rows under their numbers, in groups."""
    beside = Beside()
    index = index_of(beside)
    fill(index, rows)
    beside.do()
    index.nearest(rows[0], limit=1)
    return index, beside


@pytest.mark.parametrize("count", [1, 40, 41, 300])
def test_without_groups_the_nearest_of_all_is_found(count: int) -> None:
    index, rows = index_of(Beside()), drawn(count)
    fill(index, rows)
    for vector in reworded(rows[:50], 0.9):
        assert nearest(index, vector) == str(int(np.argmax(rows @ vector)))


def test_at_least_95_of_100_near_neighbours_are_found_in_groups() -> None:
    """Exact search is the truth; below 0.8 a neighbour is not even verified."""
    rows = drawn(2000)
    index, _ = grouped(rows)
    asked = reworded(rows[::5], 0.8)
    assert np.mean([nearest(index, vector) == str(int(np.argmax(rows @ vector))) for vector in asked]) >= 0.95


def test_a_search_looks_into_a_part_of_many_vectors() -> None:
    """Without this, groups would only cost."""
    rows = drawn(2000)
    index, _ = grouped(rows)
    assert 0 < len(index.nearest(rows[0], limit=2000)) < 1500


@pytest.mark.parametrize("count", [30, 300, 1000])
def test_similarities_are_those_of_the_vectors_themselves(count: int) -> None:
    """An index keeps a byte for each number; what is decided on is exact."""
    rows = drawn(count)
    index, _ = grouped(rows)
    for found, similarity in index.nearest(rows[3], limit=10):
        assert np.isclose(similarity, rows[int(found)] @ rows[3], atol=1e-6)


def test_numbers_over_one_do_not_wrap_around() -> None:
    """An encoder of someone's may give vectors that are longer than promised."""
    index, rows = index_of(Beside()), drawn(100)
    fill(index, rows)
    long = np.zeros(DIM, dtype=np.float32)
    long[0] = 2.0
    index.put(key(100), long)
    assert nearest(index, long / 2) == "100"


def test_changes_while_an_index_is_made_are_in_it() -> None:
    beside = Beside()
    index, rows = index_of(beside), drawn(1200)
    fill(index, rows[:401])
    work, result = beside.waiting.pop()
    made = work()  # what follows comes after the other thread's last look
    fill(index, rows[401:700], first=401)
    index.remove(keys(range(100)))
    fill(index, rows[700:750], first=700)  # in places that were left
    result.set_result(made)
    assert all(nearest(index, rows[number]) == str(number) for number in range(100, 750))
    assert all(nearest(index, rows[number]) != str(number) for number in range(100))
    assert len(index) == 650


def test_everything_may_leave_while_an_index_is_made() -> None:
    beside = Beside()
    index, rows = index_of(beside), drawn(500)
    fill(index, rows[:401])
    index.remove(keys(range(401)))
    (work, result), *_ = beside.waiting
    with pytest.raises(ValueError, match="concatenate"):
        work()
    result.set_exception(ValueError())
    assert index.nearest(rows[0], limit=3) == []
    fill(index, rows[450:], first=450)
    assert nearest(index, rows[470]) == "470"


def test_growth_regroups_again_and_shrinking_too() -> None:
    """Groups that grow with the cache would be as slow as none; shrunk ones would keep their memory."""
    rows = drawn(2100)
    index, beside = grouped(rows[:500])
    assert beside.waiting == []
    fill(index, rows[500:], first=500)
    assert len(beside.waiting) == 1
    beside.do()
    assert all(nearest(index, rows[number]) == str(number) for number in range(2100))
    index.remove(keys(range(300, 2100)))
    index.nearest(rows[0], limit=1)
    assert len(beside.waiting) == 1
    beside.do()
    assert all(nearest(index, rows[number]) == str(number) for number in range(300))


def test_an_index_that_cannot_be_made_costs_nothing_but_speed() -> None:
    beside = Beside()
    index, rows = index_of(beside), drawn(500)
    fill(index, rows)
    (_, result), *_ = beside.waiting
    result.set_exception(MemoryError())
    assert nearest(index, rows[3]) == "3"
    assert len(index) == 500


def test_an_index_is_not_made_for_a_process_that_ends() -> None:
    """The thread is waited for: it must not go on for seconds."""
    beside = Beside()
    index, rows = index_of(beside, is_ending=True), drawn(500)
    fill(index, rows)
    (work, _), *_ = beside.waiting
    assert work() is None


class VectorIndexMachine(RuleBasedStateMachine):
    """Any sequence of puts, removals and finished indexes, against a dictionary."""

    ROWS = drawn(3000, seed=3)

    def __init__(self) -> None:
        super().__init__()
        self.beside = Beside()
        self.index = index_of(self.beside)
        self.model: dict[Fingerprint, Rows] = {}
        self.next = 0

    @rule(count=st.sampled_from([1, 7, 150]))
    def put(self, count: int) -> None:
        for _ in range(count):
            row = self.ROWS[self.next % len(self.ROWS)]
            self.index.put(key(self.next), row)
            self.model[key(self.next)] = row
            self.next += 1

    @rule(share=st.sampled_from([0.01, 0.5, 1.0]), last=st.booleans())
    def remove(self, share: float, last: bool) -> None:  # noqa: FBT001 - hypothesis draws it
        doomed = list(self.model)[:: -1 if last else 1][: int(share * len(self.model))]
        self.index.remove(doomed)
        for each in doomed:
            del self.model[each]

    @rule()
    def make_indexes(self) -> None:
        if self.model:
            self.beside.do()

    @invariant()
    def what_is_there_is_found_and_nothing_else(self) -> None:
        assert len(self.index) == len(self.model)
        for each in list(self.model)[:: max(1, len(self.model) // 5)]:
            assert self.index.nearest(self.model[each], limit=1)[0][0] == each
        assert {found for found, _ in self.index.nearest(self.ROWS[0], limit=3)} <= self.model.keys()


TestVectorIndex = VectorIndexMachine.TestCase
TestVectorIndex.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
