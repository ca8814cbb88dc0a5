"""Fair shares: no scope pushes out what another holds within its share."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_extproc.cache.base import Entry, Scope
from router_extproc.cache.near.eviction import EvictionPolicy
from router_extproc.cache.near.tier import NearTier, entry_bytes
from router_extproc.testing.check_cache_backend import made_entry
from router_extproc.testing.clock import ManualClock

CLOCK = ManualClock()
ENTRIES_MAX = 20
SIZE = entry_bytes(made_entry("any", now_s=0.0))
BYTES_MAX = 15 * SIZE
SHARE = 0.25


def tier(policy: EvictionPolicy = "lru", *, max_bytes: int = 10**9) -> NearTier:
    return NearTier(CLOCK, max_entries=ENTRIES_MAX, max_bytes=max_bytes, policy=policy, scope_share_max=SHARE)


def entry(scope: str, name: int, *, more_bytes: int = 0) -> Entry:
    made = made_entry(f"{scope} {name}", now_s=CLOCK.wall_s())
    return replace(made, scope=Scope(scope), answer=made.answer + b"x" * more_bytes)


def held(near: NearTier) -> Counter[str]:
    return Counter(each.scope for each in near.entries())


def fill(near: NearTier, scope: str, count: int) -> None:
    for name in range(count):
        near.put(entry(scope, name))


@pytest.mark.parametrize("policy", ["fifo", "lru", "lfu"])
def test_a_flood_of_one_scope_leaves_the_others_alone(policy: EvictionPolicy) -> None:
    near = tier(policy)
    fill(near, "quiet", 5)
    fill(near, "loud", 1000)
    assert held(near) == {"quiet": 5, "loud": 15}
    assert near.counters.evicted_over_share == near.counters.evicted == 985


def test_a_lone_scope_has_the_whole_tier() -> None:
    near = tier()
    fill(near, "alone", 1000)
    assert held(near) == {"alone": ENTRIES_MAX}


def test_who_has_too_much_makes_room_for_a_newcomer() -> None:
    near = tier()
    fill(near, "old", 5)
    fill(near, "large", 9)
    fill(near, "larger", 6)
    fill(near, "new", 5)
    assert held(near)["new"] == held(near)["old"] == 5


def test_a_share_is_of_the_bytes_too() -> None:
    near = tier(max_bytes=BYTES_MAX)
    fill(near, "quiet", 3)
    for name in range(50):
        near.put(entry("loud", name, more_bytes=SIZE))
    assert held(near)["quiet"] == 3


def test_an_entry_over_a_share_is_refused_and_pushes_nobody_out() -> None:
    near = tier(max_bytes=BYTES_MAX)
    fill(near, "quiet", 10)
    near.put(entry("loud", 0, more_bytes=int(SHARE * BYTES_MAX)))
    assert (held(near), near.counters.refused) == ({"quiet": 10}, 1)


def test_own_entries_leave_by_the_policy() -> None:
    near = tier("lru")
    fill(near, "loud", ENTRIES_MAX)
    near.touch(entry("loud", 0).fingerprint)
    near.put(entry("loud", 99))
    assert entry("loud", 0).fingerprint in near
    assert entry("loud", 1).fingerprint not in near


SCOPES = ("a", "b", "c", "d", "e", "f")


def within_share(near: NearTier, scope: str) -> bool:
    mine = [each for each in near.entries() if each.scope == scope]
    return len(mine) <= SHARE * ENTRIES_MAX and sum(map(entry_bytes, mine)) <= SHARE * BYTES_MAX


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(SCOPES), st.integers(0, 15), st.integers(0, 4 * SIZE)), max_size=120),
    st.sampled_from(["fifo", "lru", "lfu"]),
)
def test_any_stores_keep_bounds_and_shares(
    stores: list[tuple[str, int, int]], policy: EvictionPolicy
) -> None:
    """A store takes from those within their share only when no scope, itself included, has too much."""
    near = tier(policy, max_bytes=BYTES_MAX)
    for scope, name, more_bytes in stores:
        before = held(near)
        safe = [each for each in SCOPES if each != scope and within_share(near, each)]
        near.put(entry(scope, name, more_bytes=more_bytes))
        lost = [each for each in safe if held(near)[each] < before[each]]
        assert not lost or all(within_share(near, each) for each in SCOPES)
        assert len(near) <= ENTRIES_MAX
        assert near.bytes == sum(map(entry_bytes, near.entries())) <= BYTES_MAX
