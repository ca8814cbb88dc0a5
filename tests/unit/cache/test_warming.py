"""Warming: the near tier holds what the backend holds, and says so only while it is true."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from router_extproc.cache.base import EVERYTHING, Entry, Selector
from router_extproc.cache.near import NearTier
from router_extproc.cache.warming import RETRY_FIRST_S, Warming
from router_extproc.errors import CacheError
from router_extproc.testing.check_cache_backend import made_entry
from router_extproc.testing.clock import ManualClock


class Source:
    """Tells of its entries page by page; fails so many times before."""

    def __init__(self, *entries: Entry, failures: int = 0, exclusive: bool = True) -> None:
        self.stored = entries
        self.failures = failures
        self.exclusive = exclusive

    async def entries(self, *, limit: int, selector: Selector = EVERYTHING) -> AsyncIterator[Sequence[Entry]]:
        assert selector == EVERYTHING
        for entry in self.stored[:limit]:
            yield [entry]
            if self.failures:
                self.failures -= 1
                raise CacheError("cache", "away")


CLOCK = ManualClock()
PAUSES: list[float] = []


async def pause(seconds: float) -> None:
    PAUSES.append(seconds)


def entry(name: str) -> Entry:
    return made_entry(name, now_s=CLOCK.wall_s())


async def warmed(source: Source, near: NearTier, *, purged: frozenset[str] = frozenset()) -> Warming:
    PAUSES.clear()
    warming = Warming(near, source, lambda entry: entry.fingerprint not in purged, pause=pause)
    assert not warming.near_is_complete
    await warming.run()
    return warming


def near_tier(max_entries: int = 10) -> NearTier:
    return NearTier(CLOCK, max_entries=max_entries, max_bytes=10_000_000)


async def test_warmed_tier_holds_everything_and_is_complete() -> None:
    near = near_tier()
    warming = await warmed(Source(entry("a"), entry("b")), near)
    assert (len(near), warming.near_is_complete) == (2, True)


async def test_tier_in_front_of_a_shared_backend_is_never_complete() -> None:
    """Other processes store there too."""
    warming = await warmed(Source(entry("a"), exclusive=False), near_tier())
    assert not warming.near_is_complete


async def test_tier_that_is_too_small_is_not_complete() -> None:
    warming = await warmed(Source(entry("a"), entry("b")), near_tier(max_entries=1))
    assert not warming.near_is_complete


async def test_tier_that_had_to_evict_later_is_no_longer_complete() -> None:
    near = near_tier(max_entries=1)
    warming = await warmed(Source(entry("a")), near)
    assert warming.near_is_complete
    near.put(entry("b"))
    assert not warming.near_is_complete


async def test_what_was_stored_meanwhile_wins() -> None:
    near = near_tier()
    near.put(replace(entry("a"), answer=b"newer"))
    await warmed(Source(entry("a")), near)
    found = near.get(entry("a").fingerprint)
    assert found is not None
    assert found.answer == b"newer"


async def test_purged_entries_do_not_come_back() -> None:
    near = near_tier()
    await warmed(Source(entry("a"), entry("b")), near, purged=frozenset({entry("a").fingerprint}))
    assert entry("a").fingerprint not in near


async def test_reading_starts_again_when_the_backend_stops_answering() -> None:
    near = near_tier()
    warming = await warmed(Source(entry("a"), entry("b"), failures=2), near)
    assert (len(near), warming.near_is_complete) == (2, True)
    assert PAUSES == [RETRY_FIRST_S, 2 * RETRY_FIRST_S]
