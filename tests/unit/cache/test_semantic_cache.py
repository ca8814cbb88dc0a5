"""The composed cache: which tier is asked when, what is verified, and what a failing backend costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest

from router_extproc.cache.base import EVERYTHING, Entry, Fingerprint, Neighbour, Partition, Scope, Selector
from router_extproc.cache.freshness import Freshness
from router_extproc.cache.judging import CANDIDATES_MAX, RunBlocking, run_inline
from router_extproc.cache.memory import MemoryCache
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.select import selects
from router_extproc.cache.semantic_cache import Hit, Miss, Query, SemanticCache
from router_extproc.cache.write_queue import LIMITS, QueueLimits
from router_extproc.errors import CacheError
from router_extproc.models.base import Vector, Verdict
from router_extproc.testing.check_cache_backend import made_entry, unit_vector
from router_extproc.testing.clock import ManualClock

T = TypeVar("T")
ASKED = "Which one?"


class Backend(MemoryCache):
    """A memory backend that counts its lookups and may be away; also tells what it holds."""

    exclusive = False

    def __init__(self, clock: ManualClock) -> None:
        self.tier = NearTier(clock, max_entries=100, max_bytes=10_000_000)
        super().__init__(self.tier)
        self.lookups: list[str] = []
        self.away = False

    async def get(self, fingerprint: Fingerprint) -> Entry | None:
        self._note("get")
        return await super().get(fingerprint)

    async def search(
        self, scope: Scope, partition: Partition, vector: Vector, *, limit: int
    ) -> Sequence[Neighbour]:
        self._note("search")
        return await super().search(scope, partition, vector, limit=limit)

    async def put(self, entries: Sequence[Entry]) -> None:
        self._note("put")
        await super().put(entries)

    async def purge(self, selector: Selector) -> int:
        self._note("purge")
        return await super().purge(selector)

    async def entries(self, *, limit: int, selector: Selector = EVERYTHING) -> AsyncIterator[Sequence[Entry]]:
        self._note("entries")
        meant = [entry for entry in self.tier.entries() if selects(selector, entry)]
        for entry in meant[:limit]:
            yield [entry]

    def _note(self, operation: str) -> None:
        self.lookups.append(operation)
        if self.away:
            raise CacheError("cache", "away")


class ListedVerifier:
    """Accepts the listed cached questions and remembers what it was asked."""

    def __init__(self, *accepted: str) -> None:
        self.accepted = accepted
        self.seen: list[str] = []

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:
        assert asked == ASKED
        self.seen.append(cached)
        return Verdict(accepted=cached in self.accepted, score=similarity, reason="listed")


class World:
    """A composed cache and all that it is made of."""

    def __init__(
        self,
        *accepted: str,
        run_blocking: RunBlocking = run_inline,
        backend: bool = True,
        source: bool = False,
        queue_limits: QueueLimits = LIMITS,
    ) -> None:
        self.clock = ManualClock()
        self.near = NearTier(self.clock, max_entries=100, max_bytes=10_000_000)
        self.backend = Backend(self.clock)
        self.verifier = ListedVerifier(*accepted)
        self.cache = SemanticCache(
            self.clock,
            self.near,
            self.verifier,
            backend=self.backend if backend else None,
            source=self.backend if source else None,
            run_blocking=run_blocking,
            queue_limits=queue_limits,
        )

    def entry(self, name: str, *components: float) -> Entry:
        made = made_entry(name, now_s=self.clock.wall_s(), vector=unit_vector(*components))
        return replace(made, prompt=name)

    def query(self, *, similarity_min: float = 0.5, max_age_s: int | None = None) -> Query:
        entry = self.entry("any", 1.0)
        assert entry.vector is not None
        return Query(entry.scope, entry.partition, entry.vector, ASKED, similarity_min, Freshness(max_age_s))


# ── exact ─────────────────────────────────────────────────────────────────────────────────────


async def test_near_exact_hit_does_not_ask_the_backend() -> None:
    world = World()
    entry = world.entry("a", 1.0)
    world.near.put(entry)
    found = await world.cache.lookup.exact(entry.fingerprint)
    assert isinstance(found, Hit)
    assert (found.kind, found.tier, found.entry, world.backend.lookups) == ("exact", "near", entry, [])


async def test_backend_exact_hit_fills_the_near_tier() -> None:
    world = World()
    entry = world.entry("a", 1.0)
    await world.backend.put([entry])
    found = await world.cache.lookup.exact(entry.fingerprint)
    assert isinstance(found, Hit)
    assert found.tier == "backend"
    assert world.cache.lookup.exact_near(entry.fingerprint) is not None


async def test_unknown_request_is_a_miss() -> None:
    assert await World().cache.lookup.exact(World().entry("a", 1.0).fingerprint) == Miss("absent")


async def test_cache_without_backend_is_its_near_tier() -> None:
    world = World(backend=False)
    entry = world.entry("a", 1.0)
    assert world.cache.store(entry)
    assert isinstance(await world.cache.lookup.exact(entry.fingerprint), Hit)
    assert (await world.cache.lookup.semantic(world.query())).judged[0].neighbour.entry == entry
    assert await world.cache.purge(Selector()) == 1
    await world.cache.aclose()


async def test_exact_entry_older_than_max_age_is_a_miss_in_every_tier() -> None:
    world = World()
    entry = world.entry("a", 1.0)
    await world.backend.put([entry])
    world.clock.advance(11)
    assert await world.cache.lookup.exact(entry.fingerprint, Freshness(10)) == Miss("absent")
    world.near.put(entry)
    assert await world.cache.lookup.exact(entry.fingerprint, Freshness(10)) == Miss("absent")


async def test_complete_near_tier_makes_the_backend_unneeded() -> None:
    """Milvus Lite searches in this process's own time: a miss must not pay for it."""
    world = World("a")
    world.backend.exclusive = True
    await world.backend.put([world.entry("a", 1.0)])
    async with SemanticCache(
        world.clock, world.near, world.verifier, backend=world.backend, source=world.backend
    ) as cache:
        cache.start()  # a second start changes nothing
        while not (await cache.state()).near_is_complete:  # noqa: ASYNC110 - warming tells nobody
            await asyncio.sleep(0)
        world.backend.lookups.clear()
        assert isinstance(await cache.lookup.semantic(world.query()), Hit)
        assert await cache.lookup.semantic(world.query(similarity_min=1.1)) == Miss("absent")
        assert await cache.lookup.exact(Fingerprint("f" * 64)) == Miss("absent")
        assert world.backend.lookups == []


# ── semantic ──────────────────────────────────────────────────────────────────────────────────


async def test_near_candidate_that_is_accepted_ends_the_search() -> None:
    world = World("second")
    for name, angle in (("first", 0.0), ("second", 0.1), ("third", 0.2)):
        world.near.put(world.entry(name, 1.0, angle))
    found = await world.cache.lookup.semantic(world.query())
    assert isinstance(found, Hit)
    assert (found.kind, found.tier, found.entry.prompt) == ("semantic", "near", "second")
    assert (world.verifier.seen, world.backend.lookups) == (["first", "second"], [])


async def test_refused_near_candidates_lead_to_the_backend() -> None:
    world = World("far")
    world.near.put(world.entry("near", 1.0))
    await world.backend.put([world.entry("near", 1.0), world.entry("far", 1.0, 0.3)])
    found = await world.cache.lookup.semantic(world.query())
    assert isinstance(found, Hit)
    assert found.tier == "backend"
    assert [each.neighbour.entry.prompt for each in found.judged] == ["near", "far"]
    assert world.verifier.seen == ["near", "far"], "nothing is verified twice"


async def test_semantic_hit_of_the_backend_fills_the_near_tier() -> None:
    world = World("far")
    await world.backend.put([world.entry("far", 1.0)])
    await world.cache.lookup.semantic(world.query())
    assert world.entry("far", 1.0).fingerprint in world.near


async def test_candidates_below_the_threshold_are_not_verified() -> None:
    world = World("low")
    world.near.put(world.entry("low", 1.0, 1.0))  # cosine 0.707
    assert await world.cache.lookup.semantic(world.query(similarity_min=0.8)) == Miss("absent")
    assert world.verifier.seen == []


async def test_at_most_so_many_candidates_of_a_tier_are_verified() -> None:
    world = World()
    for number in range(CANDIDATES_MAX + 3):
        world.near.put(world.entry(str(number), 1.0, number / 100))
    found = await world.cache.lookup.semantic(world.query())
    assert isinstance(found, Miss)
    assert found.reason == "refused"
    assert len(world.verifier.seen) == CANDIDATES_MAX


@pytest.mark.parametrize(("side", "seen"), [(0.1, ["near", "far"]), (0.3, ["near"])])
async def test_behind_a_clear_refusal_the_backends_candidate_is_verified_only_if_nearer(
    side: float, seen: list[str]
) -> None:
    """The net takes milliseconds, and would refuse the further one as well."""
    world = World()
    looked_at: list[str] = []

    class Sure:
        def verify(self, cached: str, asked: str, similarity: float) -> Verdict:  # noqa: ARG002 - the port
            looked_at.append(cached)
            return Verdict(accepted=False, score=0.0, reason="verifier", inferred=True)

    world.near.put(world.entry("near", 1.0, 0.2))
    await world.backend.put([world.entry("far", 1.0, side)])
    lookup = replace(world.cache.lookup, verifier=Sure())
    assert isinstance(await lookup.semantic(world.query()), Miss)
    assert looked_at == seen


async def test_semantic_entry_older_than_max_age_is_a_miss() -> None:
    world = World("a")
    world.near.put(world.entry("a", 1.0))
    world.clock.advance(11)
    assert await world.cache.lookup.semantic(world.query(max_age_s=10)) == Miss("absent")


async def test_verification_runs_where_blocking_work_runs() -> None:
    ran: list[str] = []

    async def run(work: Callable[[], T]) -> T:
        ran.append("executor")
        return work()

    world = World("a", run_blocking=run)
    world.near.put(world.entry("a", 1.0))
    assert isinstance(await world.cache.lookup.semantic(world.query()), Hit)
    assert ran == ["executor"]


# ── a backend that is away ────────────────────────────────────────────────────────────────────


async def test_backend_that_is_away_makes_misses_and_is_counted() -> None:
    world = World()
    world.backend.away = True
    assert await world.cache.lookup.exact(world.entry("a", 1.0).fingerprint) == Miss("backend")
    assert await world.cache.lookup.semantic(world.query()) == Miss("backend")
    assert (await world.cache.state()).counters["backend_errors"] == 2


async def test_near_tier_still_answers_while_the_backend_is_away() -> None:
    world = World("a")
    world.backend.away = True
    world.near.put(world.entry("a", 1.0))
    assert isinstance(await world.cache.lookup.semantic(world.query()), Hit)


async def test_refused_candidates_are_still_told_when_the_backend_is_away() -> None:
    world = World()
    world.backend.away = True
    world.near.put(world.entry("a", 1.0))
    found = await world.cache.lookup.semantic(world.query())
    assert (found, len(found.judged)) == (Miss("backend", found.judged), 1)


# ── storing and purging ───────────────────────────────────────────────────────────────────────


async def test_stored_entry_is_a_hit_at_once_and_reaches_the_backend() -> None:
    world = World()
    entry = world.entry("a", 1.0)
    async with world.cache as cache:
        assert cache.store(entry) == "stored"
        assert cache.lookup.exact_near(entry.fingerprint) is not None
    assert await world.backend.get(entry.fingerprint) == entry


async def test_closing_without_a_backend_loses_the_rest_and_does_not_hang() -> None:
    world = World()
    world.backend.away = True
    async with world.cache as cache:
        cache.store(world.entry("a", 1.0))
    assert (await world.cache.state()).counters["backend_errors"] == 1


async def test_purge_empties_every_tier() -> None:
    world = World()
    entry = world.entry("a", 1.0)
    world.near.put(entry)
    await world.backend.put([entry])
    assert await world.cache.purge(Selector(scope=entry.scope)) == 1
    assert await world.cache.lookup.exact(entry.fingerprint) == Miss("absent")


async def test_purged_entry_stays_hidden_while_the_backend_cannot_purge() -> None:
    world = World("a")
    entry = world.entry("a", 1.0)
    await world.backend.put([entry])
    world.backend.away = True
    with pytest.raises(CacheError):
        await world.cache.purge(Selector())
    world.backend.away = False
    assert await world.cache.lookup.exact(entry.fingerprint) == Miss("absent")
    assert await world.cache.lookup.semantic(world.query()) == Miss("absent")


async def test_entry_stored_after_a_purge_is_found() -> None:
    world = World()
    await world.cache.purge(Selector())
    world.clock.advance(1)
    entry = world.entry("a", 1.0)
    world.cache.store(entry)
    assert isinstance(await world.cache.lookup.exact(entry.fingerprint), Hit)


async def test_answer_to_a_request_from_before_a_purge_is_not_kept() -> None:
    """It was on its way when the operator purged: it must not come back with what was purged."""
    world = World()
    started_s = world.clock.wall_s()
    world.clock.advance(1)
    await world.cache.purge(Selector(model="small"))
    world.clock.advance(1)
    entry = world.entry("a", 1.0)
    assert world.cache.store(entry, started_s=started_s) == "purged"
    assert world.cache.store(replace(entry, model="large"), started_s=started_s) == "stored"
    assert (await world.cache.state()).counters["purges_in_flight"] == 1


async def test_purge_during_verification_makes_a_miss() -> None:
    async def purge_meanwhile(work: Callable[[], T]) -> T:
        judged = work()
        await world.cache.purge(Selector())
        return judged

    world = World("a", run_blocking=purge_meanwhile)
    await world.backend.put([world.entry("a", 1.0)])
    assert isinstance(await world.cache.lookup.semantic(world.query()), Miss)
    assert not len(world.near)


async def test_entry_that_the_queue_cannot_take_is_said_to_be_near_only() -> None:
    world = World(queue_limits=QueueLimits(entries_max=0))
    assert world.cache.store(world.entry("a", 1.0)) == "near-only"


# ── listing and keeping ───────────────────────────────────────────────────────────────────────


async def test_entries_of_both_tiers_are_told_once() -> None:
    world = World(source=True)
    both, near, far = (world.entry(name, 1.0) for name in ("both", "near", "far"))
    await world.backend.put([both, replace(far, model="large"), far])
    world.near.put(both)
    world.near.put(near)
    told = [entry.prompt async for entry in world.cache.entries(Selector(model="small"))]
    assert sorted(told) == ["both", "far", "near"]


async def test_purged_and_expired_entries_are_not_told() -> None:
    world = World(source=True)
    world.backend.away = True
    world.near.put(world.entry("a", 1.0))
    with pytest.raises(CacheError):
        await world.cache.purge(Selector())
    world.backend.away = False
    await world.backend.put([world.entry("b", 1.0)])
    world.clock.advance(1)
    world.near.put(world.entry("fresh", 1.0))
    world.near.put(replace(world.entry("old", 1.0), expires_s=world.clock.wall_s()))
    assert [entry.prompt async for entry in world.cache.entries(Selector())] == ["fresh"]


async def test_kept_entries_are_in_every_tier_when_it_returns() -> None:
    world = World()
    entries = [world.entry(f"number {number}", 1.0) for number in range(100)]
    assert await world.cache.keep(entries) == 100
    assert (len(world.near), len(world.backend.tier)) == (100, 100)


async def test_keeping_needs_no_backend() -> None:
    world = World(backend=False)
    assert await world.cache.keep([world.entry("a", 1.0)]) == 1


async def test_state_tells_of_every_part() -> None:
    world = World()
    world.cache.store(world.entry("a", 1.0))
    state = await world.cache.state()
    assert (state.near_entries, state.queued, state.near_is_complete) == (1, 1, False)
    assert state.backend is not None
    assert state.backend.ready
    assert {"near_stored", "queue_dropped", "backend_errors"} <= state.counters.keys()


async def test_cancelled_lookup_leaves_the_cache_usable() -> None:
    world = World("a")
    world.near.put(world.entry("a", 1.0))

    async def never(_: Callable[[], T]) -> T:
        await asyncio.Event().wait()
        raise AssertionError

    stuck = SemanticCache(world.clock, world.near, world.verifier, run_blocking=never)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stuck.lookup.semantic(world.query()), timeout=0.01)
    assert isinstance(await world.cache.lookup.semantic(world.query()), Hit)
