"""A growing cache is measured at each size, on entries that are really there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from router_extproc.bench.sizes import Subject, measure_sizes
from router_extproc.bench.sizes_run import LITE_ENTRIES_MAX, SizesPlan, backends, run_sizes, sizes_of
from router_extproc.bench.synthetic import MadeVectors, made_topics, reworded
from router_extproc.cache.base import Entry, Neighbour, Partition, Scope
from router_extproc.cache.memory import MemoryCache
from router_extproc.cache.near.tier import NearTier
from router_extproc.clock import SystemClock
from router_extproc.errors import CacheError
from router_extproc.models.base import Vector

DIM = 16


def subject(*, max_entries: int = 1000) -> Subject:
    tier = NearTier(SystemClock(), max_entries=max_entries, max_bytes=10**9)
    return Subject("memory", MemoryCache(tier), batch=7, in_process=True)


async def test_each_size_is_measured_with_as_many_entries() -> None:
    measured, stored = subject(), list[int]()
    counts = []
    vectors = MadeVectors(made_topics(DIM)[:40])
    async for figures in measure_sizes(measured, vectors, (50, 200), lookups=100, on_stored=stored.append):
        state = await measured.backend.state()
        counts.append((figures.entries, state.entries, sum(stored)))
        assert figures.found > 0.9
        assert 0 < figures.semantic.p50_ms <= figures.semantic.p99_ms
        assert figures.bytes_per_entry is not None
    assert counts == [(50, 50, 50), (200, 200, 200)]


class Deaf(MemoryCache):
    """Does not answer one search in four."""

    searches = 0

    async def search(
        self, scope: Scope, partition: Partition, vector: Vector, *, limit: int
    ) -> Sequence[Neighbour]:
        self.searches += 1
        if not self.searches % 4:
            raise CacheError("cache", "too late")
        return await super().search(scope, partition, vector, limit=limit)


async def test_lookups_without_an_answer_are_counted_and_stop_nothing() -> None:
    tier = NearTier(SystemClock(), max_entries=1000, max_bytes=10**9)
    deaf = Subject("deaf", Deaf(tier), batch=1, in_process=True)
    vectors = MadeVectors(made_topics(DIM))
    measured = measure_sizes(deaf, vectors, (50,), lookups=100, on_stored=lambda _: None)
    (figures,) = [each async for each in measured]
    # A search that fails is followed by one that asks whether the backend is back.
    assert (figures.failed, figures.found) == (33, 0.67)


class Busy(MemoryCache):
    """Takes every store at the second try."""

    puts = 0

    async def put(self, entries: Sequence[Entry]) -> None:
        self.puts += 1
        if self.puts % 2:
            raise CacheError("cache", "busy")
        await super().put(entries)


async def test_stores_that_are_not_taken_are_counted_and_repeated() -> None:
    tier = NearTier(SystemClock(), max_entries=1000, max_bytes=10**9)
    busy = Subject("busy", Busy(tier), batch=10, in_process=True, store_pause_s=0.0)
    measured = measure_sizes(
        busy, MadeVectors(made_topics(DIM)), (50,), lookups=100, on_stored=lambda _: None
    )
    (figures,) = [each async for each in measured]
    assert (figures.failed, len(tier)) == (5, 50)


async def test_a_server_that_is_away_is_told_beside_the_figures_of_the_others() -> None:
    plan = SizesPlan(1000, 100, lite=False, server="http://127.0.0.1:9", connect_s=0.1)
    figures, problems = await run_sizes(plan, made_topics(384), lambda _name, _size: lambda _count: None)
    assert [each.backend for each in figures] == ["memory"]
    assert len(problems) == 1


async def test_a_backend_that_loses_entries_is_not_measured() -> None:
    """Its figures would be those of a smaller cache."""
    vectors = MadeVectors(made_topics(DIM))
    with pytest.raises(CacheError, match="was stored and is not there"):
        async for _ in measure_sizes(
            subject(max_entries=10), vectors, (50,), lookups=100, on_stored=lambda _: None
        ):
            pass


async def test_a_run_measures_the_memory_backend_without_any_server() -> None:
    plan = SizesPlan(1000, 100, lite=False)
    figures, problems = await run_sizes(plan, made_topics(384), lambda _name, _size: lambda _count: None)
    assert not problems
    assert [(each.backend, each.entries, each.batch) for each in figures] == [("memory", 1000, 1)]


def test_milvus_lite_is_measured_up_to_its_bound() -> None:
    assert sizes_of("lite", 10**6) == (1_000, 10_000, LITE_ENTRIES_MAX)
    assert sizes_of("memory", 20_000) == (1_000, 10_000, 20_000)


def test_a_server_is_measured_where_one_is_named() -> None:
    assert backends(SizesPlan(1000, 100)) == ["lite", "memory"]
    assert backends(SizesPlan(1000, 100, lite=False, server="http://milvus:19530")) == ["server", "memory"]


def test_real_questions_come_first_and_mixtures_have_length_one() -> None:
    base = made_topics(DIM)[:10]
    rows = MadeVectors(base).at(5, 20)
    assert np.array_equal(rows[:5], base[5:])
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.array_equal(rows, MadeVectors(base).at(5, 20))


def test_rewordings_are_near_and_of_length_one() -> None:
    base = made_topics(DIM)[:50]
    near = reworded(base)
    assert np.allclose(np.linalg.norm(near, axis=1), 1, atol=1e-5)
    assert np.all(np.sum(near * base, axis=1) > 0.79)
