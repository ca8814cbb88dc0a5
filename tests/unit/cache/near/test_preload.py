"""Preload: the near tier holds what the backend holds, and says so only while it is true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from router_extproc.cache.base import EVERYTHING, Entry, FeedGap, Selector
from router_extproc.cache.near.preload import FOLLOW_EVERY_S, FOLLOWED_WITHIN_S, RETRY_FIRST_S, Preload
from router_extproc.cache.near.tier import NearTier
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


async def warmed(source: Source, near: NearTier, *, purged: frozenset[str] = frozenset()) -> Preload:
    PAUSES.clear()
    warming = Preload(near, source, lambda entry: entry.fingerprint not in purged, CLOCK, pause=pause)
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


# ── what others write ─────────────────────────────────────────────────────────────────────────


class Feed:
    """Tells what a test says, or fails; ends the warming when all of it is told."""

    def __init__(self, *told: Sequence[Entry] | CacheError) -> None:
        self.told = list(told)
        self.began = 0

    async def begin(self) -> None:
        self.began += 1

    async def news(self) -> Sequence[Entry]:
        if not self.told:
            raise asyncio.CancelledError
        match self.told.pop(0):
            case CacheError() as error:
                raise error
            case entries:
                return entries


AWAY = CacheError("cache", "away")
GAP = FeedGap("cache", "missed something")


class Followed:
    """A warming over a shared backend, run until its feed has nothing more to tell."""

    def __init__(self, source: Source, feed: Feed, *, max_entries: int = 10) -> None:
        self.clock = ManualClock()
        self.near = NearTier(self.clock, max_entries=max_entries, max_bytes=10_000_000)
        self.purged: set[str] = set()
        self.feed = feed
        self.warming = Preload(self.near, source, self._usable, self.clock, feed=feed, pause=self._pause)

    def _usable(self, entry: Entry) -> bool:
        return entry.fingerprint not in self.purged

    async def _pause(self, seconds: float) -> None:
        self.clock.advance(seconds)

    async def run(self) -> Followed:
        try:
            await self.warming.run()
        except asyncio.CancelledError:
            return self
        return self

    def holds(self, *names: str) -> bool:
        return all(entry(name).fingerprint in self.near for name in names)


def shared(*entries: Entry) -> Source:
    return Source(*entries, exclusive=False)


async def test_tier_that_follows_what_others_write_is_complete_in_front_of_a_shared_backend() -> None:
    followed = await Followed(shared(entry("a")), Feed([entry("b")], [entry("c")])).run()
    assert followed.holds("a", "b", "c")
    assert followed.warming.near_is_complete


async def test_following_begins_before_the_backend_is_read() -> None:
    """What is written while it is read would be missed otherwise."""
    feed = Feed()
    source = shared(entry("a"))
    assert (await Followed(source, feed).run()).feed.began == 1


async def test_tier_whose_feed_is_silent_is_complete_for_a_short_while_only() -> None:
    followed = await Followed(shared(entry("a")), Feed([])).run()
    followed.clock.advance(FOLLOWED_WITHIN_S - FOLLOW_EVERY_S)
    assert followed.warming.near_is_complete
    followed.clock.advance(FOLLOWED_WITHIN_S)
    assert not followed.warming.near_is_complete


async def test_feed_that_fails_once_is_asked_again() -> None:
    followed = await Followed(shared(), Feed(AWAY, AWAY, [entry("b")])).run()
    assert followed.holds("b")
    assert followed.warming.near_is_complete


async def test_feed_that_keeps_failing_leaves_the_tier_incomplete() -> None:
    failures = int(FOLLOWED_WITHIN_S / FOLLOW_EVERY_S) + 2
    followed = await Followed(shared(), Feed(*[AWAY] * failures)).run()
    assert not followed.warming.near_is_complete


async def test_gap_in_the_feed_has_everything_read_again() -> None:
    source = shared(entry("a"))
    followed = Followed(source, Feed(GAP, []))
    source.stored = (entry("a"), entry("b"))
    await followed.run()
    assert followed.feed.began == 2
    assert followed.holds("a", "b")
    assert followed.warming.near_is_complete


async def test_what_others_write_replaces_older_and_leaves_newer() -> None:
    newer = replace(entry("a"), answer=b"newer", created_s=CLOCK.wall_s() + 1.0)
    followed = await Followed(shared(entry("a")), Feed([newer], [entry("a")])).run()
    followed.clock.advance(1.0)
    found = followed.near.get(entry("a").fingerprint)
    assert found is not None
    assert found.answer == b"newer"


async def test_what_was_purged_does_not_come_back_from_others() -> None:
    followed = Followed(shared(), Feed([entry("a"), entry("b")]))
    followed.purged.add(entry("a").fingerprint)
    await followed.run()
    assert not followed.holds("a")
    assert followed.holds("b")


async def test_tier_that_could_not_keep_what_others_write_is_no_longer_complete_and_stops_following() -> None:
    followed = await Followed(shared(entry("a")), Feed([entry("b")], [entry("c")]), max_entries=1).run()
    assert not followed.warming.near_is_complete
    assert followed.feed.told == [[entry("c")]]


async def test_it_is_being_read_until_it_is_complete() -> None:
    seen: list[bool] = []

    def usable(_: Entry) -> bool:
        seen.append(warming.is_reading)
        return True

    warming = Preload(near_tier(), Source(entry("a")), usable, CLOCK)
    assert not warming.is_reading
    await warming.run()
    assert seen == [True]
    assert not warming.is_reading


async def test_backend_that_never_makes_the_tier_complete_is_asked_while_it_is_read() -> None:
    seen: list[bool] = []

    def usable(_: Entry) -> bool:
        seen.append(warming.is_reading)
        return True

    warming = Preload(near_tier(), shared(entry("a")), usable, CLOCK)
    await warming.run()
    assert seen == [False]
