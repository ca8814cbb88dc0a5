"""Lookups that leave no trace: they find what a client would find, and nothing is different afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pytest

from router_extproc.cache.base import Entry, Fingerprint, Neighbour, Partition, Scope, Selector
from router_extproc.cache.memory import MemoryCache
from router_extproc.cache.near.eviction import EvictionPolicy
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.results import CacheLookup, Hit, Miss, Query
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.errors import CacheError
from router_extproc.models.base import Vector
from router_extproc.testing.check_cache_backend import made_entry, unit_vector
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.router import AcceptingVerifier

CLOCK = ManualClock()
ALIAS = Fingerprint("a rephrasing")


class Backend(MemoryCache):
    """A backend that may be away."""

    def __init__(self) -> None:
        super().__init__(NearTier(CLOCK, max_entries=100, max_bytes=10_000_000))
        self.away = False

    async def get(self, fingerprint: Fingerprint) -> Entry | None:
        self._fail_if_away()
        return await super().get(fingerprint)

    async def search(
        self, scope: Scope, partition: Partition, vector: Vector, *, limit: int
    ) -> Sequence[Neighbour]:
        self._fail_if_away()
        return await super().search(scope, partition, vector, limit=limit)

    def _fail_if_away(self) -> None:
        if self.away:
            raise CacheError("cache", "away")


class World:
    """A cache of two near entries, with a backend behind."""

    def __init__(self, policy: EvictionPolicy = "lru") -> None:
        self.backend = Backend()
        self.near = NearTier(CLOCK, max_entries=2, max_bytes=10_000_000, policy=policy)
        self.cache = SemanticCache(CLOCK, self.near, AcceptingVerifier(), backend=self.backend)

    @property
    def explaining(self) -> CacheLookup:
        return self.cache.lookup.read_only()

    async def counters(self) -> object:
        return asdict(await self.cache.state())


def entry(name: str) -> Entry:
    return made_entry(name, now_s=CLOCK.wall_s(), vector=unit_vector(1.0))


def query() -> Query:
    any_entry = entry("any")
    assert any_entry.vector is not None
    return Query(any_entry.scope, any_entry.partition, any_entry.vector, "Which one?", 0.5)


@pytest.mark.parametrize("policy", ["lru", "lfu"])
async def test_a_hit_that_is_only_looked_at_keeps_its_place_in_the_order_of_eviction(
    policy: EvictionPolicy,
) -> None:
    world = World(policy)
    for name in ("first", "second"):
        world.cache.store(entry(name))
    looked = world.explaining
    assert looked.exact_near(entry("first").fingerprint) is not None
    assert isinstance(await looked.exact(entry("first").fingerprint), Hit)
    assert isinstance(await looked.semantic(query()), Hit)
    world.cache.store(entry("third"))
    assert entry("first").fingerprint not in world.near
    assert entry("second").fingerprint in world.near


async def test_a_rephrasing_that_is_only_looked_at_becomes_no_exact_hit() -> None:
    world = World()
    world.cache.store(entry("first"))
    found = await world.explaining.semantic(query())
    assert isinstance(found, Hit)
    world.explaining.note(ALIAS, found)
    assert world.cache.lookup.exact_near(ALIAS) is None


async def test_what_the_backend_has_is_found_and_left_there() -> None:
    world = World()
    await world.backend.put([entry("far")])
    assert isinstance(await world.explaining.exact(entry("far").fingerprint), Hit)
    assert isinstance(await world.explaining.semantic(query()), Hit)
    assert len(world.near) == 0
    assert world.cache.queued == 0


async def test_neither_hits_nor_failures_are_counted() -> None:
    world = World()
    await world.backend.put([entry("far")])
    before = await world.counters()
    await world.explaining.semantic(query())
    world.backend.away = True
    assert await world.explaining.exact(entry("none").fingerprint) == Miss("backend")
    assert await world.explaining.semantic(query()) == Miss("backend")
    world.backend.away = False
    assert await world.counters() == before


async def test_it_sees_what_was_stored_and_purged_meanwhile() -> None:
    """It is no copy of the cache."""
    world = World()
    looked = world.explaining
    world.cache.store(entry("first"))
    assert looked.exact_near(entry("first").fingerprint) is not None
    await world.cache.purge(Selector())
    assert looked.exact_near(entry("first").fingerprint) is None


async def test_a_lookup_read_only_stays_one() -> None:
    world = World()
    world.cache.store(entry("first"))
    found = await world.explaining.semantic(query())
    assert isinstance(found, Hit)
    world.explaining.read_only().note(ALIAS, found)
    assert world.cache.lookup.exact_near(ALIAS) is None
