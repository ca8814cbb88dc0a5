"""Aliases live as long as the entry that they stand for."""

from __future__ import annotations

from dataclasses import replace

from router_extproc.cache.base import Entry, Fingerprint, Selector
from router_extproc.cache.near.aliases import ALIASES_PER_ENTRY_MAX
from router_extproc.cache.near.tier import NearTier
from router_extproc.testing.check_cache_backend import made_entry
from router_extproc.testing.clock import ManualClock

ALIAS = Fingerprint("reworded")


def aliased(*, max_entries: int = 9) -> tuple[NearTier, Entry]:
    """A tier with one entry and its alias."""
    clock = ManualClock()
    tier = NearTier(clock, max_entries=max_entries, max_bytes=10_000_000)
    entry = made_entry("a", now_s=clock.wall_s())
    tier.put(entry)
    tier.alias(ALIAS, entry)
    assert tier.get(ALIAS) is entry
    return tier, entry


def test_alias_of_an_evicted_entry_is_gone() -> None:
    tier, entry = aliased(max_entries=1)
    tier.put(made_entry("b", now_s=entry.created_s))
    assert tier.get(ALIAS) is None


def test_alias_of_a_purged_entry_is_gone_also_when_the_entry_comes_back() -> None:
    tier, entry = aliased()
    tier.purge(Selector(fingerprint=entry.fingerprint))
    assert tier.get(ALIAS) is None
    tier.put(entry)
    assert tier.get(ALIAS) is None


def test_alias_of_a_replaced_entry_is_gone() -> None:
    """The verdict was on the old answer's question; a new one may have another decision."""
    tier, entry = aliased()
    tier.put(replace(entry, answer=b"new"))
    assert tier.get(ALIAS) is None


def test_answer_of_its_own_replaces_an_alias() -> None:
    """A client that asked with `no-cache` has a better answer now."""
    tier, entry = aliased()
    own = replace(entry, fingerprint=ALIAS, answer=b"own")
    tier.put(own)
    assert tier.get(ALIAS) is own
    tier.alias(ALIAS, entry)
    assert tier.get(ALIAS) is own


def test_what_is_not_here_gets_no_alias() -> None:
    tier, entry = aliased()
    tier.alias(Fingerprint("other"), made_entry("never stored", now_s=entry.created_s))
    assert tier.get(Fingerprint("other")) is None


def test_alias_is_moved_to_another_entry() -> None:
    tier, entry = aliased()
    other = made_entry("b", now_s=entry.created_s)
    tier.put(other)
    tier.alias(ALIAS, other)
    assert tier.get(ALIAS) is other
    tier.purge(Selector(fingerprint=entry.fingerprint))
    assert tier.get(ALIAS) is other


def test_an_entry_has_a_bounded_number_of_aliases() -> None:
    """One answer and endless wordings must not fill the memory; the latest stay."""
    tier, entry = aliased()
    for number in range(ALIASES_PER_ENTRY_MAX):
        tier.alias(Fingerprint(str(number)), entry)
    assert tier.get(ALIAS) is None
    assert tier.get(Fingerprint("0")) is entry
