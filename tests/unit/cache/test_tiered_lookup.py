"""A lookup without traces finds what any lookup finds, and leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.cache.base import Entry, Fingerprint
from router_extproc.cache.memory import MemoryCache
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.results import Hit, Miss, Query
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.cache.tiered_lookup import TieredLookup
from router_extproc.errors import CacheError
from router_extproc.testing.check_cache_backend import made_entry, unit_vector
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.router import AcceptingVerifier

OTHER = Fingerprint("f" * 64)


class World:
    """A near tier that holds two entries, and a backend."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.near = NearTier(self.clock, max_entries=2, max_bytes=10_000_000)
        self.backend = MemoryCache(NearTier(self.clock, max_entries=9, max_bytes=10_000_000))
        cache = SemanticCache(self.clock, self.near, AcceptingVerifier(), backend=self.backend)
        self.lookup = cache.lookup
        now_s = self.clock.wall_s()
        self.a, self.b, self.c = (made_entry(name, now_s=now_s, vector=unit_vector(1.0)) for name in "abc")

    def query(self) -> Query:
        assert self.a.vector is not None
        return Query(self.a.scope, self.a.partition, self.a.vector, "asked", 0.5)


@pytest.fixture
def world() -> World:
    return World()


KINDS = pytest.mark.parametrize("kind", ["usual", "without traces"])


def either(world: World, kind: str) -> TieredLookup:
    return world.lookup.read_only() if kind == "without traces" else world.lookup


@KINDS
async def test_a_hit_of_the_backend_is_kept_near_unless_read_only(world: World, kind: str) -> None:
    await world.backend.put([world.a])
    assert isinstance(await either(world, kind).exact(world.a.fingerprint), Hit)
    assert (world.a.fingerprint in world.near) is (kind == "usual")


@KINDS
async def test_a_semantic_hit_of_the_backend_is_kept_near_unless_read_only(world: World, kind: str) -> None:
    await world.backend.put([world.a])
    assert isinstance(await either(world, kind).semantic(world.query()), Hit)
    assert (world.a.fingerprint in world.near) is (kind == "usual")


@KINDS
async def test_other_words_become_an_exact_hit_unless_read_only(world: World, kind: str) -> None:
    world.near.put(world.a)
    lookup = either(world, kind)
    found = await lookup.semantic(world.query())
    assert isinstance(found, Hit)
    lookup.note(OTHER, found)
    assert (world.lookup.exact_near(OTHER) is None) is (kind == "without traces")


@KINDS
def test_a_used_entry_stays_longer_unless_the_use_was_read_only(world: World, kind: str) -> None:
    world.near.put(world.a)
    world.near.put(world.b)
    assert either(world, kind).exact_near(world.a.fingerprint) is not None
    world.near.put(world.c)
    assert (world.a.fingerprint in world.near) is (kind == "usual")


@KINDS
async def test_a_backend_that_does_not_answer_is_counted_unless_read_only(world: World, kind: str) -> None:
    class Away(MemoryCache):
        async def get(self, fingerprint: Fingerprint) -> Entry | None:
            raise CacheError("cache", fingerprint)

    away = Away(NearTier(world.clock, max_entries=9, max_bytes=10_000_000))
    lookup = replace(world.lookup, backend=away)
    either_lookup = lookup.read_only() if kind == "without traces" else lookup
    assert await either_lookup.exact(OTHER) == Miss("backend")
    assert lookup.counters.backend_errors == (1 if kind == "usual" else 0)
