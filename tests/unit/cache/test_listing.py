"""What operators do with entries: pages, counts, and bringing back."""

from __future__ import annotations

from dataclasses import replace

from router_extproc.cache.base import Entry, Selector
from router_extproc.cache.listing import Restored, count, newest, restore
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.cache.verify import GuardVerifier
from router_extproc.testing.check_cache_backend import made_entry
from router_extproc.testing.clock import ManualClock


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        near = NearTier(self.clock, max_entries=1000, max_bytes=10_000_000)
        self.cache = SemanticCache(self.clock, near, GuardVerifier())

    def store(self, name: str) -> Entry:
        """An entry that is one second younger than the one before."""
        self.clock.advance(1)
        entry = made_entry(name, now_s=self.clock.wall_s())
        self.cache.store(entry)
        return entry

    async def restore(self, *entries: Entry, renew: bool = False) -> Restored:
        return await restore(self.cache, entries, now_s=self.clock.wall_s(), renew=renew)


async def test_newest_entries_come_first() -> None:
    world = World()
    a, b, c = (world.store(name) for name in "abc")
    page = await newest(world.cache, Selector(), limit=10)
    assert (page.entries, page.total, page.last) == ((c, b, a), 3, None)


async def test_pages_together_hold_every_entry_once() -> None:
    """Entries of one instant, too."""
    world = World()
    for number in range(7):
        world.cache.store(made_entry(str(number), now_s=world.clock.wall_s()))
    last, told = None, []
    for wanted in (3, 3, 1):
        page = await newest(world.cache, Selector(), limit=3, after=last)
        assert (len(page.entries), page.total) == (wanted, 7)
        told += [entry.fingerprint for entry in page.entries]
        last = page.last
    assert last is None
    assert len(set(told)) == 7


async def test_full_last_page_leads_nowhere() -> None:
    world = World()
    world.store("a")
    assert (await newest(world.cache, Selector(), limit=1)).last is None


async def test_only_what_is_meant_is_listed_and_counted() -> None:
    world = World()
    world.store("a")
    wanted = replace(world.store("b"), model="large")
    world.cache.store(wanted)
    assert (await newest(world.cache, Selector(model="large"), limit=5)).entries == (wanted,)
    assert await count(world.cache, Selector(model="large")) == 1
    assert await count(world.cache, Selector()) == 2


async def test_restored_entry_keeps_its_age() -> None:
    world = World()
    entry = made_entry("a", now_s=world.clock.wall_s())
    world.clock.advance(10)
    assert await world.restore(entry) == Restored(1, 0, 0)
    hit = world.cache.lookup.exact_near(entry.fingerprint)
    assert hit is not None
    assert hit.entry == entry


async def test_what_could_not_be_answered_with_is_not_restored() -> None:
    world = World()
    old = made_entry("old", now_s=world.clock.wall_s() - 1000)
    purged = world.store("purged")
    await world.cache.purge(Selector())
    assert await world.restore(old, purged) == Restored(0, expired=1, purged=1)


async def test_renewed_entries_begin_anew() -> None:
    world = World()
    old = made_entry("old", now_s=world.clock.wall_s() - 1000)
    purged = world.store("purged")
    await world.cache.purge(Selector())
    assert await world.restore(old, purged, renew=True) == Restored(2, 0, 0)
    hit = world.cache.lookup.exact_near(old.fingerprint)
    assert hit is None, "at the very instant of the purge it counts as purged"
    world.clock.advance(1)
    assert await world.restore(old, renew=True) == Restored(1, 0, 0)
    hit = world.cache.lookup.exact_near(old.fingerprint)
    assert hit is not None
    assert hit.entry.created_s == world.clock.wall_s()
    assert hit.entry.expires_s - hit.entry.created_s == old.expires_s - old.created_s
