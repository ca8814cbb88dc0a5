"""The near tier: bounds, order of eviction, expiry, and the same answers as a plain dictionary."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from router_extproc.cache.base import Entry, Partition, Scope, Selector
from router_extproc.cache.near.eviction import EvictionPolicy
from router_extproc.cache.near.tier import NearTier, entry_bytes
from router_extproc.cache.select import selects
from router_extproc.testing.check_cache_backend import made_entry, unit_vector
from router_extproc.testing.clock import ManualClock

PLENTY_BYTES = 10_000_000


def near_tier(
    clock: ManualClock, *, max_entries: int = 3, max_bytes: int = PLENTY_BYTES, policy: EvictionPolicy = "lru"
) -> NearTier:
    return NearTier(clock, max_entries=max_entries, max_bytes=max_bytes, policy=policy)


def filled(policy: EvictionPolicy) -> tuple[NearTier, list[Entry]]:
    """A full tier of three; the first two entries were hits, the first one twice."""
    clock = ManualClock()
    tier = near_tier(clock, policy=policy)
    entries = [made_entry(name, now_s=clock.wall_s()) for name in ("a", "b", "c")]
    for entry in entries:
        tier.put(entry)
    for used in (0, 0, 1):
        tier.touch(entries[used].fingerprint)
    return tier, entries


@pytest.mark.parametrize(("policy", "left"), [("fifo", 0), ("lru", 2), ("lfu", 2)])
def test_full_tier_evicts_by_its_policy(policy: EvictionPolicy, left: int) -> None:
    tier, entries = filled(policy)
    tier.put(made_entry("d", now_s=entries[0].created_s))
    assert [entry.fingerprint in tier for entry in entries] == [index != left for index in range(3)]


def test_least_used_leaves_before_the_longest_unused() -> None:
    """What `lfu` adds to `lru`."""
    tier, entries = filled("lfu")
    tier.touch(entries[2].fingerprint)
    tier.put(made_entry("d", now_s=entries[0].created_s))  # b and c have one use each, b the older one
    assert entries[1].fingerprint not in tier
    tier.put(made_entry("e", now_s=entries[0].created_s))  # d has none
    assert entries[0].fingerprint in tier
    assert entries[2].fingerprint in tier


def test_bytes_bound_holds() -> None:
    clock = ManualClock()
    entries = [replace(made_entry(name, now_s=clock.wall_s()), answer=b"x" * 1000) for name in "abcd"]
    tier = near_tier(clock, max_entries=100, max_bytes=2 * entry_bytes(entries[0]))
    for entry in entries:
        tier.put(entry)
    assert len(tier) == 2
    assert tier.bytes == 2 * entry_bytes(entries[0])


def test_entry_over_the_whole_bound_is_refused_and_evicts_nothing() -> None:
    clock = ManualClock()
    tier = near_tier(clock, max_bytes=5000)
    small = made_entry("small", now_s=clock.wall_s())
    tier.put(small)
    tier.put(replace(made_entry("large", now_s=clock.wall_s()), answer=b"x" * 5000))
    assert (small.fingerprint in tier, len(tier), tier.counters.refused) == (True, 1, 1)


def test_entry_that_grew_over_the_bound_leaves() -> None:
    """The old answer to the same request must not stay behind."""
    clock = ManualClock()
    tier = near_tier(clock, max_bytes=5000)
    entry = made_entry("grows", now_s=clock.wall_s())
    tier.put(entry)
    tier.put(replace(entry, answer=b"x" * 5000))
    assert entry.fingerprint not in tier


def test_expired_entries_make_room_before_fresh_ones_are_evicted() -> None:
    clock = ManualClock()
    tier = near_tier(clock, max_entries=2, policy="fifo")
    fresh = made_entry("fresh", now_s=clock.wall_s() + 100)
    old = made_entry("old", now_s=clock.wall_s())
    tier.put(fresh)
    tier.put(old)
    clock.advance(60)
    tier.put(made_entry("new", now_s=clock.wall_s()))
    assert (fresh.fingerprint in tier, tier.counters.evicted, tier.counters.expired) == (True, 0, 1)


def test_expired_entry_is_gone_and_its_memory_too() -> None:
    clock = ManualClock()
    tier = near_tier(clock)
    entry = made_entry("a", now_s=clock.wall_s(), vector=unit_vector(1.0))
    tier.put(entry)
    clock.advance(60)
    assert tier.get(entry.fingerprint) is None
    assert (len(tier), tier.bytes) == (0, 0)


def test_replaced_entry_lives_by_its_new_expiry() -> None:
    clock = ManualClock()
    tier = near_tier(clock)
    entry = made_entry("a", now_s=clock.wall_s(), vector=unit_vector(1.0))
    tier.put(entry)
    clock.advance(30)
    tier.put(replace(entry, expires_s=clock.wall_s() + 60))
    clock.advance(45)
    assert [found.entry.fingerprint for found in tier.search(entry.partition, unit_vector(1.0), limit=1)] == [
        entry.fingerprint
    ]


def test_touching_what_is_gone_does_nothing() -> None:
    clock = ManualClock()
    tier = near_tier(clock)
    tier.touch(made_entry("never", now_s=0).fingerprint)
    assert len(tier) == 0


def test_many_replacements_leave_no_trail() -> None:
    """Each store notes an expiry; the notes of replaced entries must not pile up."""
    clock = ManualClock()
    tier = near_tier(clock)
    entry = made_entry("a", now_s=clock.wall_s())
    for second in range(5000):
        tier.put(replace(entry, expires_s=entry.expires_s + second))
    assert len(tier._index.expiries) < 2000  # noqa: SLF001 - memory is not visible otherwise


SCOPES = [Scope("a" * 64), Scope("b" * 64)]
PARTITIONS = [Partition("p" * 64), Partition("q" * 64)]


class NearTierMachine(RuleBasedStateMachine):
    """Any sequence of stores, lookups, purges and waiting, against a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.tier = near_tier(self.clock, max_entries=1000)
        self.model: dict[str, Entry] = {}

    @rule(
        name=st.integers(0, 12),
        scope=st.sampled_from(SCOPES),
        place=st.sampled_from(PARTITIONS),
        angle=st.none() | st.floats(0, 6),
        ttl_s=st.integers(1, 9),
    )
    def put(self, name: int, scope: Scope, place: Partition, angle: float | None, ttl_s: int) -> None:
        vector = None if angle is None else unit_vector(np.cos(angle), np.sin(angle))
        now_s = self.clock.wall_s()
        made = made_entry(str(name), now_s=now_s, vector=vector)
        entry = replace(made, scope=scope, partition=place, expires_s=now_s + ttl_s)
        self.tier.put(entry)
        self.model[entry.fingerprint] = entry

    @rule(seconds=st.integers(1, 4))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(scope=st.none() | st.sampled_from(SCOPES), age_s=st.none() | st.integers(0, 5))
    def purge(self, scope: Scope | None, age_s: int | None) -> None:
        bound_s = None if age_s is None else self.clock.wall_s() - age_s
        selector = Selector(scope=scope, created_max_s=bound_s)
        self.tier.purge(selector)
        self.model = {key: entry for key, entry in self.model.items() if not selects(selector, entry)}

    @rule(place=st.sampled_from(PARTITIONS), angle=st.floats(0, 6), limit=st.integers(1, 15))
    def search(self, place: Partition, angle: float, limit: int) -> None:
        vector = unit_vector(np.cos(angle), np.sin(angle))
        found = self.tier.search(place, vector, limit=limit)
        wanted = sorted(
            (
                float(entry.vector @ vector)
                for entry in self.fresh()
                if entry.vector is not None and entry.partition == place
            ),
            reverse=True,
        )
        assert np.allclose([each.similarity for each in found], wanted[:limit], atol=1e-5)
        assert all(each.entry == self.model[each.entry.fingerprint] for each in found)

    @invariant()
    def every_fresh_entry_is_found_and_no_other(self) -> None:
        fresh = {entry.fingerprint for entry in self.fresh()}
        for fingerprint in self.model:
            assert (self.tier.get(self.model[fingerprint].fingerprint) is not None) == (fingerprint in fresh)

    @invariant()
    def bytes_are_the_sum_of_the_entries(self) -> None:
        assert self.tier.bytes == sum(entry_bytes(entry) for entry in self.tier.entries())

    def fresh(self) -> list[Entry]:
        return [entry for entry in self.model.values() if self.clock.wall_s() < entry.expires_s]


TestNearTier = NearTierMachine.TestCase
TestNearTier.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
