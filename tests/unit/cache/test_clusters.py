"""Vectors in clusters: nothing is lost while they regroup, and near ones are found."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
import pytest
from numpy.typing import NDArray

from router_extproc.cache import clusters
from router_extproc.cache.base import Fingerprint
from router_extproc.cache.clusters import MOVED_AT_ONCE, Rows, VectorIndex, find_centres, start_thread

DIM = 32
LIMIT_S = 20.0


class Beside:
    """Keeps the work until a test does it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Rows], Future[Rows]]] = []

    def __call__(self, work: Callable[[], Rows]) -> Future[Rows]:
        result: Future[Rows] = Future()
        self.waiting.append((work, result))
        return result

    def do(self) -> None:
        for work, result in self.waiting:
            result.set_result(work())
        self.waiting.clear()


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters from some hundred vectors on, and few of them looked into."""
    monkeypatch.setattr(clusters, "CLUSTERED_FROM", 400)
    monkeypatch.setattr(clusters, "PROBES", 8)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def drawn(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Vectors around fifty topics, as questions are."""
    rng = np.random.default_rng(seed)
    topics = unit(rng.standard_normal((50, DIM), dtype=np.float32))
    noise = unit(rng.standard_normal((count, DIM), dtype=np.float32))
    return unit(topics[rng.integers(0, 50, count)] * 0.6 + noise * 0.8)


def reworded(rows: NDArray[np.float32], similarity: float) -> NDArray[np.float32]:
    """A vector of this similarity beside each."""
    noise = np.random.default_rng(7).standard_normal(rows.shape, dtype=np.float32)
    across = unit(noise - (noise * rows).sum(axis=1, keepdims=True) * rows)
    return similarity * rows + np.float32(np.sqrt(1 - similarity**2)) * across


def key(number: int) -> Fingerprint:
    return Fingerprint(str(number))


def fill(index: VectorIndex, rows: NDArray[np.float32], first: int = 0) -> None:
    for number, row in enumerate(rows, first):
        index.put(key(number), row)


def settle(index: VectorIndex, beside: Beside) -> None:
    """Find centres and move everything into their clusters."""
    for _ in range(2 * len(index) // MOVED_AT_ONCE + 4):
        beside.do()
        index.nearest(np.zeros(DIM, dtype=np.float32), limit=1)


def nearest_of_all(rows: NDArray[np.float32], vector: NDArray[np.float32]) -> str:
    return str(int(np.argmax(rows @ vector)))


def test_few_vectors_are_all_compared() -> None:
    index, rows = VectorIndex(DIM, start=Beside()), drawn(300)
    fill(index, rows)
    for vector in drawn(50, seed=1):
        assert index.nearest(vector, limit=1)[0][0] == nearest_of_all(rows, vector)


def test_at_least_95_of_100_near_neighbours_are_found_in_clusters() -> None:
    """Exact search is the truth; at 0.8 a neighbour is not even verified below."""
    beside = Beside()
    index, rows = VectorIndex(DIM, start=beside), drawn(2000)
    fill(index, rows)
    settle(index, beside)
    asked = reworded(rows[::5], 0.8)
    found = [index.nearest(vector, limit=1)[0][0] for vector in asked]
    truth = [nearest_of_all(rows, vector) for vector in asked]
    assert np.mean([one == other for one, other in zip(found, truth, strict=True)]) >= 0.95


def test_a_search_compares_only_a_part_of_many_vectors() -> None:
    """Without this, clusters would only cost."""
    beside = Beside()
    index, rows = VectorIndex(DIM, start=beside), drawn(2000)
    fill(index, rows)
    settle(index, beside)
    assert 0 < len(index.nearest(rows[0], limit=2000)) < 1000


def test_similarities_are_those_of_the_stored_vectors() -> None:
    beside = Beside()
    index, rows = VectorIndex(DIM, start=beside), drawn(1000)
    fill(index, rows)
    settle(index, beside)
    for found, similarity in index.nearest(rows[3], limit=10):
        assert np.isclose(similarity, rows[int(found)] @ rows[3], atol=1e-5)


def test_nothing_is_lost_while_vectors_move() -> None:
    beside = Beside()
    index, rows = VectorIndex(DIM, start=beside), drawn(1000)
    fill(index, rows[:400])
    beside.do()
    for number in range(400, 1000):
        index.put(key(number), rows[number])
        probe = number - 399
        assert index.nearest(rows[probe], limit=1)[0][0] == str(probe)
        assert len(index) == number + 1


def test_removed_vectors_are_not_found_wherever_they_stood() -> None:
    beside = Beside()
    index, rows = VectorIndex(DIM, start=beside), drawn(1000)
    fill(index, rows[:500])
    beside.do()
    fill(index, rows[500:510], first=500)  # some are in clusters now, most are not
    for number in range(0, 510, 2):
        index.remove(key(number))
    settle(index, beside)
    assert len(index) == 255
    assert all(index.nearest(rows[number], limit=1)[0][0] == str(number) for number in range(1, 510, 2))
    assert all(str(number) != index.nearest(rows[number], limit=1)[0][0] for number in range(0, 510, 2))


def test_all_may_be_removed_in_the_middle_of_a_move() -> None:
    beside = Beside()
    index, rows = VectorIndex(DIM, start=beside), drawn(600)
    fill(index, rows[:500])
    beside.do()
    index.nearest(rows[0], limit=1)
    for number in range(500):
        index.remove(key(number))
    assert index.nearest(rows[0], limit=3) == []
    fill(index, rows[500:], first=500)
    assert index.nearest(rows[550], limit=1)[0][0] == "550"


def test_growth_regroups_again() -> None:
    """Clusters that grow with the cache would be as slow as none."""
    beside = Beside()
    index, rows = VectorIndex(DIM, start=beside), drawn(1700)
    fill(index, rows[:500])
    settle(index, beside)
    assert beside.waiting == []
    fill(index, rows[500:], first=500)
    assert len(beside.waiting) == 1
    settle(index, beside)
    assert len(index) == 1700
    assert all(index.nearest(row, limit=1)[0][0] == str(number) for number, row in enumerate(rows))


def test_centres_that_cannot_be_found_cost_nothing_but_speed() -> None:
    beside = Beside()
    index, rows = VectorIndex(DIM, start=beside), drawn(500)
    fill(index, rows)
    (_, result), *_ = beside.waiting
    result.set_exception(MemoryError())
    assert index.nearest(rows[3], limit=1)[0][0] == "3"
    assert len(index) == 500


def test_centres_are_directions() -> None:
    centres = find_centres(drawn(500), 20)
    assert centres.shape == (20, DIM)
    assert np.allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-5)


def test_a_thread_hands_over_what_it_found_and_what_failed() -> None:
    found = np.ones((1, DIM), dtype=np.float32)
    assert start_thread(lambda: found).result(LIMIT_S) is found
    with pytest.raises(ZeroDivisionError):
        start_thread(lambda: np.float32(1 // 0) * found).result(LIMIT_S)
