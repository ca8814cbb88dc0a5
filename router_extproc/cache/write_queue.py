"""Entries on their way to a backend: batched, bounded, and never on the request path.

Nothing is durable before it is written, and no request waits for it. A purge beats every write before it:
what still waits in the queue is dropped, and what is being written is finished first, then purged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from router_extproc.cache.base import CacheBackend, CacheRejected, Entry, Fingerprint, Selector
from router_extproc.cache.select import selects
from router_extproc.errors import CacheError

#: Entries written in one call.
BATCH_ENTRIES_MAX = 64
#: How long the writer waits for company after the first entry of a batch.
LINGER_S = 0.05
#: Pauses between attempts while the backend does not answer: doubled from the first to the last.
RETRY_FIRST_S = 0.25
RETRY_LAST_S = 8.0

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """What waits at most, and what is written in one call."""

    #: Waiting entries; more are dropped and counted.
    entries_max: int = 2048
    #: Of waiting answers and prompts; more are dropped and counted.
    bytes_max: int = 64 * 1024 * 1024
    #: Of one call, if it is more than one entry; servers bound the size of a message.
    batch_bytes_max: int = 8 * 1024 * 1024


LIMITS: Final = QueueLimits()


@dataclass(slots=True)
class QueueCounters:
    """What became of the entries."""

    written: int = 0
    #: The queue was full.
    dropped: int = 0
    #: The backend will never take them.
    rejected: int = 0
    retries: int = 0


class WriteQueue:
    """One queue and its single writer, `run`."""

    def __init__(
        self, backend: CacheBackend, *, pause: Pause = asyncio.sleep, limits: QueueLimits = LIMITS
    ) -> None:
        """`pause` waits; tests hand in their own."""
        self._backend: Final = backend
        self._limits: Final = limits
        self._pause: Final = pause
        self._waiting: dict[Fingerprint, Entry] = {}
        self._bytes = 0
        self._wake: Final = asyncio.Event()
        #: Held while the backend is written to or purged, so that neither overtakes the other.
        self._turn: Final = asyncio.Lock()
        self.counters: Final = QueueCounters()

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, entry: Entry) -> bool:
        """Queue an entry, in place of an older one of the same fingerprint; False: full, dropped."""
        self._forget(entry.fingerprint)
        limits = self._limits
        if len(self) >= limits.entries_max or self._bytes + _size(entry) > limits.bytes_max:
            self.counters.dropped += 1
            return False
        self._waiting[entry.fingerprint] = entry
        self._bytes += _size(entry)
        self._wake.set()
        return True

    async def purge(self, selector: Selector) -> int:
        """Drop what the selector means here, then purge the backend; how many there.

        Raises:
            CacheError: the backend could not purge.
        """
        for entry in [entry for entry in self._waiting.values() if selects(selector, entry)]:
            self._forget(entry.fingerprint)
        async with self._turn:
            return await self._backend.purge(selector)

    async def write(self, entries: Sequence[Entry]) -> int:
        """Write entries now, in front of those that wait; how many the backend took.

        A purge comes before all of them or after all of them.

        Raises:
            CacheError: the backend does not answer.
        """
        written, left = 0, list(entries)
        async with self._turn:
            while left:
                batch = self._batch(left)
                del left[: len(batch)]
                for entry in batch:
                    self._forget(entry.fingerprint)
                written += await self._put(batch)
        return written

    async def run(self) -> None:
        """Write until cancelled; a batch that the backend cannot take now is tried again."""
        retry_s = RETRY_FIRST_S
        while True:
            await self._wake.wait()
            await self._pause(LINGER_S)
            try:
                await self._write_batch()
                retry_s = RETRY_FIRST_S
            except CacheError:
                self.counters.retries += 1
                await self._pause(retry_s)
                retry_s = min(2 * retry_s, RETRY_LAST_S)

    async def drain(self) -> None:
        """Write what is waiting, at the end of the process; the caller bounds the time.

        Raises:
            CacheError: the backend does not answer; the rest is lost.
        """
        while self._waiting:
            await self._write_batch()

    async def _write_batch(self) -> None:
        async with self._turn:
            batch = self._batch(self._waiting.values())
            if batch:
                await self._put(batch)
            for entry in batch:
                # A newer entry of the same fingerprint may have come meanwhile: it stays.
                if self._waiting.get(entry.fingerprint) is entry:
                    self._forget(entry.fingerprint)
            if not self._waiting:
                self._wake.clear()

    async def _put(self, batch: tuple[Entry, ...]) -> int:
        try:
            await self._backend.put(batch)
        except CacheRejected:
            self.counters.rejected += len(batch)
            return 0
        self.counters.written += len(batch)
        return len(batch)

    def _forget(self, fingerprint: Fingerprint) -> None:
        entry = self._waiting.pop(fingerprint, None)
        if entry is not None:
            self._bytes -= _size(entry)

    def _batch(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """The first entries, as many as are written in one call."""
        batch: list[Entry] = []
        size = 0
        for entry in islice(entries, BATCH_ENTRIES_MAX):
            size += _size(entry)
            if batch and size > self._limits.batch_bytes_max:
                break
            batch.append(entry)
        return tuple(batch)


def _size(entry: Entry) -> int:
    vector_bytes = 0 if entry.vector is None else entry.vector.nbytes
    return len(entry.answer) + len(entry.prompt) + vector_bytes
