"""What a wall clock that jumps does to entries: none lives for ever, none is younger than new."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.cache.base import Entry
from router_extproc.cache.freshness import AHEAD_MAX_S, age_s, is_fresh, ttl_left_s
from router_extproc.cache.near.tier import NearTier
from router_extproc.testing.check_cache_backend import made_entry, unit_vector
from router_extproc.testing.clock import ManualClock

TTL_S = 600.0
NOW_S = 1_700_000_000.0
JUMPS_S = [-50 * 365 * 86400.0, -86400.0, -3600.0, -61.0, -1.0, 0.0, 1.0, 599.0, 601.0, 86400.0]


def entry(name: str = "a") -> Entry:
    stored = made_entry(name, now_s=NOW_S, vector=unit_vector(1.0))
    return replace(stored, expires_s=NOW_S + TTL_S)


@pytest.mark.parametrize("jump_s", JUMPS_S)
def test_age_and_ttl_stay_within_what_the_entry_was_stored_for(jump_s: float) -> None:
    now_s = NOW_S + jump_s
    assert age_s(entry(), now_s) >= 0
    assert 0 <= ttl_left_s(entry(), now_s) <= TTL_S
    if is_fresh(entry(), now_s):
        assert age_s(entry(), now_s) <= TTL_S


def test_entry_from_a_little_later_is_used() -> None:
    """Clocks of two machines differ."""
    assert is_fresh(entry(), NOW_S - AHEAD_MAX_S)


def test_entry_from_much_later_is_not() -> None:
    assert not is_fresh(entry(), NOW_S - AHEAD_MAX_S - 1.0)


def test_clock_that_is_set_back_by_years_does_not_make_entries_immortal() -> None:
    clock = ManualClock(wall_s=NOW_S)
    near = NearTier(clock, max_entries=10, max_bytes=10_000_000)
    near.put(entry())
    clock.set_wall_on(-50 * 365 * 86400.0)
    for _ in range(5):
        clock.advance(TTL_S)
        assert near.get(entry().fingerprint) is None
        assert near.search(entry().partition, unit_vector(1.0), limit=4) == []


def test_entry_is_there_again_when_the_clock_is_right_again_and_expires_then() -> None:
    clock = ManualClock(wall_s=NOW_S)
    near = NearTier(clock, max_entries=10, max_bytes=10_000_000)
    near.put(entry())
    clock.set_wall_on(-3600.0)
    assert near.get(entry().fingerprint) is None
    clock.set_wall_on(3600.0)
    assert near.get(entry().fingerprint) is not None
    clock.advance(TTL_S)
    assert near.get(entry().fingerprint) is None
    assert near.counters.expired == 1


def test_entry_stored_while_the_clock_was_ahead_is_not_used_when_it_is_back() -> None:
    clock = ManualClock(wall_s=NOW_S)
    near = NearTier(clock, max_entries=10, max_bytes=10_000_000)
    clock.set_wall_on(5 * 3600.0)
    ahead = replace(entry(), created_s=clock.wall_s(), expires_s=clock.wall_s() + TTL_S)
    near.put(ahead)
    assert near.get(ahead.fingerprint) is not None
    clock.set_wall_on(-5 * 3600.0)
    assert near.get(ahead.fingerprint) is None
