"""Purges among processes: what is covered, what is told, and what is done with what is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from router_extproc.cache.base import EVERYTHING, Announcement, Entry, EntrySource, Fingerprint, Selector
from router_extproc.cache.memory import MemoryCache
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.purges import Purges
from router_extproc.cache.select import selects
from router_extproc.cache.semantic_cache import Hit, Miss, Query, SemanticCache
from router_extproc.cache.verify import GuardVerifier
from router_extproc.errors import CacheError
from router_extproc.testing.check_cache_backend import made_entry, unit_vector
from router_extproc.testing.clock import ManualClock

ROUNDS_MAX = 1000


class Board:
    """What all processes announced."""

    def __init__(self) -> None:
        self.announced: list[Announcement] = []
        self.away = False


class BoardLog:
    """One process's view of a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._told = 0
        self.asked = False

    async def announce(self, purge: Announcement) -> None:
        if self._board.away:
            raise CacheError("cache", "away")
        self._board.announced.append(purge)

    async def news(self) -> Sequence[Announcement]:
        if self._board.away:
            raise CacheError("cache", "away")
        self.asked = True
        told, self._told = self._told, len(self._board.announced)
        return self._board.announced[told:]


class Listed:
    """A source of these entries, shared with others."""

    exclusive = False

    def __init__(self, listed: Sequence[Entry]) -> None:
        self._listed = listed

    async def entries(self, *, limit: int, selector: Selector = EVERYTHING) -> AsyncIterator[Sequence[Entry]]:
        yield [each for each in self._listed if selects(selector, each)][:limit]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(ROUNDS_MAX):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never")


class Process:
    """A cache in one process, over a backend and a board that it shares with others."""

    def __init__(
        self, clock: ManualClock, backend: MemoryCache, board: Board, *, source: EntrySource | None = None
    ) -> None:
        self.clock = clock
        near = NearTier(clock, max_entries=100, max_bytes=10_000_000)
        self.log = BoardLog(board)
        parts = {"backend": backend, "source": source, "purge_log": self.log}
        self.cache = SemanticCache(clock, near, GuardVerifier(), **parts)

    async def listens(self) -> bool:
        return self.log.asked

    async def answers(self) -> bool:
        """True when it asks the backend."""
        return await self.cache.lookup.exact(Fingerprint("unknown")) == Miss("absent")

    async def lacks(self, entry: Entry) -> bool:
        return not isinstance(await self.cache.lookup.exact(entry.fingerprint), Hit)


def entry(clock: ManualClock, **fields: str) -> Entry:
    return replace(made_entry("a", now_s=clock.wall_s()), **fields)


def two_processes(*, behind_s: float = 0.0) -> tuple[Process, Process, Board, MemoryCache]:
    """The clock of the first one is behind the second one's."""
    first, second, board = ManualClock(), ManualClock(), Board()
    second.advance(behind_s)
    backend = MemoryCache(NearTier(first, max_entries=100, max_bytes=10_000_000))
    return Process(first, backend, board), Process(second, backend, board), board, backend


@pytest.mark.parametrize("behind_s", [0.0, 20.0], ids=["same clock", "clock behind"])
async def test_purge_empties_the_near_tier_of_another_process(behind_s: float) -> None:
    """However the clocks differ: the other's entry may be younger than the purge, by its own clock."""
    one, other, _, backend = two_processes(behind_s=behind_s)
    stored = entry(other.clock)
    async with one.cache, other.cache:
        await until(other.listens)
        other.cache.store(stored)
        await one.cache.purge(Selector())
        await until(lambda: other.lacks(stored))
        assert await one.lacks(stored)
    assert await backend.get(stored.fingerprint) is None


async def test_what_was_written_between_a_purge_and_its_hearing_is_deleted() -> None:
    """The purge's own deletion was too early for it."""
    one, other, _, backend = two_processes()
    stored = entry(other.clock)
    await one.cache.purge(Selector())
    await backend.put([stored])
    async with other.cache:

        async def deleted() -> bool:
            return await backend.get(stored.fingerprint) is None

        await until(deleted)


async def test_answer_to_a_request_from_before_a_heard_purge_is_not_stored() -> None:
    one, other, board, _ = two_processes()
    async with other.cache:
        begun_s = other.clock.wall_s()
        await one.cache.purge(Selector())

        async def heard() -> bool:
            return (await other.cache.state()).counters["purges_heard"] == 1

        await until(heard)
        assert other.cache.store(entry(other.clock), started_s=begun_s) == "purged"
    assert len(board.announced) == 1


async def test_process_that_starts_later_hides_what_was_purged_before() -> None:
    """A worker that died may have left it in the backend; what came after the purge stays."""
    one, _, board, backend = two_processes()
    left = entry(one.clock)
    await one.cache.purge(Selector(model="small"))
    await backend.put([left])
    one.clock.advance(1.0)
    later = replace(made_entry("b", now_s=one.clock.wall_s()), model="small")
    await backend.put([later])
    one.clock.advance(1.0)
    fresh = Process(one.clock, backend, board)
    async with fresh.cache:
        await until(lambda: fresh.lacks(left))
        assert not await fresh.lacks(later)
    assert await backend.get(later.fingerprint) is not None


async def test_process_that_has_not_heard_what_was_purged_answers_nothing_from_the_backend() -> None:
    """Not by an exact match, not by meaning, and not from a near tier that was filled from there."""
    one, _, board, backend = two_processes()
    left = replace(entry(one.clock), vector=unit_vector(1.0))
    await one.cache.purge(Selector())
    await backend.put([left])
    board.away = True
    fresh = Process(one.clock, backend, board, source=Listed([left]))
    async with fresh.cache:
        asked = Query(left.scope, left.partition, unit_vector(1.0), left.prompt, 0.8)
        for _ in range(3):
            assert await fresh.cache.lookup.exact(left.fingerprint) == Miss("backend")
            assert await fresh.cache.lookup.semantic(asked) == Miss("backend")
            await asyncio.sleep(0.01)
        with pytest.raises(CacheError, match="not known yet"):
            [entry async for entry in fresh.cache.entries(EVERYTHING)]
        board.away = False
        await until(fresh.listens)
        await until(fresh.answers)
        assert await fresh.cache.lookup.exact(left.fingerprint) == Miss("absent")
        assert await fresh.cache.lookup.semantic(asked) == Miss("absent")
        assert [entry async for entry in fresh.cache.entries(EVERYTHING)] == []


async def test_purges_heard_together_are_all_covered_when_the_first_cannot_be_carried_out() -> None:
    clock, board = ManualClock(), Board()
    tried: list[Selector] = []

    async def carry_out(selector: Selector) -> None:
        tried.append(selector)
        raise CacheError("cache", "away")

    async def pause(_: float) -> None:
        raise asyncio.CancelledError

    purges = Purges(clock, BoardLog(board), pause=pause)
    asked = [Selector(model="large"), Selector(model="small")]
    board.announced += [Announcement(each, clock.wall_s()) for each in asked]
    with pytest.raises(asyncio.CancelledError):
        await purges.listen(carry_out)
    assert tried == asked
    assert purges.cover(entry(clock, model="small"))
    assert purges.cover(entry(clock, model="large"))
    assert (purges.heard, purges.unheard) == (2, 2)


async def test_purge_that_cannot_be_told_still_purges_here_and_says_so() -> None:
    one, _, board, backend = two_processes()
    stored = entry(one.clock)
    await backend.put([stored])
    board.away = True
    with pytest.raises(CacheError):
        await one.cache.purge(Selector())
    assert await backend.get(stored.fingerprint) is None


async def test_others_that_cannot_be_heard_are_counted_and_heard_later() -> None:
    clock, board = ManualClock(), Board()
    heard: list[Selector] = []
    rounds = 0

    async def pause(_: float) -> None:
        nonlocal rounds
        rounds += 1
        board.away = rounds < 3
        if rounds > 3:
            raise asyncio.CancelledError

    async def carry_out(selector: Selector) -> None:
        heard.append(selector)

    purges = Purges(clock, BoardLog(board), pause=pause)
    board.announced.append(Announcement(Selector(tag="x"), clock.wall_s()))
    board.away = True
    with pytest.raises(asyncio.CancelledError):
        await purges.listen(carry_out)
    assert heard == [Selector(tag="x")]
    assert (purges.heard, purges.unheard) == (1, 3)
