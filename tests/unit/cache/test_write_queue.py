"""Writes off the request path: batched, bounded, retried, and beaten by a purge."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from router_extproc.cache.base import CacheRejected, Entry, Selector
from router_extproc.cache.memory import MemoryCache
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.write_queue import (
    BATCH_ENTRIES_MAX,
    RETRY_FIRST_S,
    RETRY_LAST_S,
    QueueLimits,
    WriteQueue,
)
from router_extproc.errors import CacheError
from router_extproc.testing.check_cache_backend import made_entry
from router_extproc.testing.clock import ManualClock

CLOCK = ManualClock()


class Backend(MemoryCache):
    """A memory backend that can fail, wait, and remembers its batches."""

    def __init__(self) -> None:
        super().__init__(NearTier(CLOCK, max_entries=10_000, max_bytes=10**9))
        self.failures: list[CacheError] = []
        self.batches: list[list[Entry]] = []
        self.writing = asyncio.Event()
        self.may_write = asyncio.Event()
        self.may_write.set()

    async def put(self, entries: Sequence[Entry]) -> None:
        self.batches.append(list(entries))
        self.writing.set()
        await self.may_write.wait()
        if self.failures:
            raise self.failures.pop(0)
        await super().put(entries)


class Pauses:
    """Waits no time, and remembers how long it should have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def entry(name: str) -> Entry:
    return made_entry(name, now_s=CLOCK.wall_s())


async def run_until_empty(queue: WriteQueue) -> None:
    """Let the writer work until nothing waits."""
    writer = asyncio.create_task(queue.run())
    await until_empty(queue)
    writer.cancel()
    await asyncio.wait({writer})


async def until_empty(queue: WriteQueue) -> None:
    async with asyncio.timeout(5):
        while len(queue):  # noqa: ASYNC110 - the queue tells nobody when it is empty
            await asyncio.sleep(0)


async def test_entries_are_written_in_batches() -> None:
    backend = Backend()
    queue = WriteQueue(backend, pause=Pauses())
    for number in range(BATCH_ENTRIES_MAX + 1):
        assert queue.offer(entry(str(number)))
    await run_until_empty(queue)
    assert [len(batch) for batch in backend.batches] == [BATCH_ENTRIES_MAX, 1]
    assert queue.counters.written == BATCH_ENTRIES_MAX + 1


async def test_batch_is_bounded_by_bytes() -> None:
    """A server refuses messages over its limit."""
    backend = Backend()
    queue = WriteQueue(backend, pause=Pauses(), limits=QueueLimits(batch_bytes_max=1000))
    for name in "abc":
        queue.offer(replace(entry(name), answer=b"x" * 600))
    await run_until_empty(queue)
    assert [len(batch) for batch in backend.batches] == [1, 1, 1]


async def test_later_entry_of_a_request_replaces_the_waiting_one() -> None:
    backend = Backend()
    queue = WriteQueue(backend, pause=Pauses())
    queue.offer(entry("a"))
    queue.offer(replace(entry("a"), answer=b"later"))
    await run_until_empty(queue)
    assert [each.answer for each in backend.batches[0]] == [b"later"]


async def test_full_queue_drops_and_counts() -> None:
    queue = WriteQueue(Backend(), pause=Pauses(), limits=QueueLimits(entries_max=1))
    assert [queue.offer(entry("a")), queue.offer(entry("b"))] == [True, False]
    assert queue.counters.dropped == 1


async def test_queue_is_bounded_by_bytes() -> None:
    queue = WriteQueue(Backend(), pause=Pauses(), limits=QueueLimits(bytes_max=100))
    assert not queue.offer(replace(entry("a"), answer=b"x" * 101))
    assert queue.offer(entry("b"))


async def test_batch_is_tried_again_while_the_backend_is_away() -> None:
    backend = Backend()
    backend.failures = [CacheError("cache", "away")] * 8
    pauses = Pauses()
    queue = WriteQueue(backend, pause=pauses)
    queue.offer(entry("a"))
    await run_until_empty(queue)
    retries = [seconds for seconds in pauses.seconds if seconds >= RETRY_FIRST_S]
    assert (queue.counters.written, queue.counters.retries) == (1, 8)
    assert (retries[0], retries[1], max(retries)) == (RETRY_FIRST_S, 2 * RETRY_FIRST_S, RETRY_LAST_S)


async def test_rejected_batch_is_given_up_and_counted() -> None:
    """What the backend will never take must not hold up the others."""
    backend = Backend()
    backend.failures = [CacheRejected("cache", "bad")]
    queue = WriteQueue(backend, pause=Pauses())
    queue.offer(entry("a"))
    await run_until_empty(queue)
    assert (queue.counters.rejected, queue.counters.written) == (1, 0)


async def test_entry_that_came_while_its_older_self_is_written_stays() -> None:
    backend = Backend()
    backend.may_write.clear()
    queue = WriteQueue(backend, pause=Pauses())
    queue.offer(entry("a"))
    writer = asyncio.create_task(queue.run())
    await backend.writing.wait()
    queue.offer(replace(entry("a"), answer=b"later"))
    backend.may_write.set()
    await until_empty(queue)
    writer.cancel()
    await asyncio.wait({writer})
    found = await backend.get(entry("a").fingerprint)
    assert found is not None
    assert found.answer == b"later"


async def test_purge_drops_what_waits() -> None:
    backend = Backend()
    queue = WriteQueue(backend, pause=Pauses())
    queue.offer(entry("a"))
    queue.offer(replace(entry("b"), model="large"))
    await queue.purge(Selector(model="small"))
    await run_until_empty(queue)
    assert [each.model for batch in backend.batches for each in batch] == ["large"]


async def test_purge_beats_the_write_under_way() -> None:
    """The write ends first, then the purge removes it: never the other way round."""
    backend = Backend()
    backend.may_write.clear()
    queue = WriteQueue(backend, pause=Pauses())
    queue.offer(entry("a"))
    writer = asyncio.create_task(queue.run())
    await backend.writing.wait()
    purge = asyncio.create_task(queue.purge(Selector()))
    await asyncio.sleep(0)
    backend.may_write.set()
    assert await purge == 1
    writer.cancel()
    await asyncio.wait({writer})
    assert await backend.get(entry("a").fingerprint) is None


async def test_drain_writes_the_rest() -> None:
    backend = Backend()
    queue = WriteQueue(backend, pause=Pauses())
    queue.offer(entry("a"))
    await queue.drain()
    assert (len(queue), len(backend.batches)) == (0, 1)


async def test_writing_now_comes_in_front_and_in_batches() -> None:
    backend = Backend()
    queue = WriteQueue(backend)
    queue.offer(entry("0"))
    entries = [entry(str(number)) for number in range(BATCH_ENTRIES_MAX + 1)]
    assert await queue.write(entries) == BATCH_ENTRIES_MAX + 1
    assert [len(batch) for batch in backend.batches] == [BATCH_ENTRIES_MAX, 1]
    assert not len(queue)


async def test_rejected_entries_are_not_counted_as_written() -> None:
    backend = Backend()
    backend.failures = [CacheRejected("cache", "no")]
    queue = WriteQueue(backend)
    assert await queue.write([entry("a")]) == 0
    assert queue.counters.rejected == 1


async def test_purge_comes_after_all_that_is_being_written() -> None:
    """Were it let in between two batches, the second would bring back what was purged."""
    backend = Backend()
    backend.may_write.clear()
    queue = WriteQueue(backend)
    entries = [entry(str(number)) for number in range(BATCH_ENTRIES_MAX + 1)]
    writing = asyncio.create_task(queue.write(entries))
    await backend.writing.wait()
    purging = asyncio.create_task(queue.purge(Selector()))
    backend.may_write.set()
    assert await writing == BATCH_ENTRIES_MAX + 1
    assert await purging == BATCH_ENTRIES_MAX + 1
