"""One backend as it grows: how long a lookup and a store take, and what an entry costs.

The figures of a size are taken when exactly that many entries are stored, in one partition, which is the
hardest case.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from router_extproc.bench.synthetic import MadeVectors, made_entries, made_fingerprint, reworded
from router_extproc.cache.base import CacheBackend, Entry, Neighbour
from router_extproc.cache.judging import CANDIDATES_MAX
from router_extproc.errors import CacheError
from router_extproc.models.base import Vector

#: How often a store is tried that the backend does not answer.
STORE_TRIES: Final = 60
#: How often, and how far apart, a backend is asked whether it is done with what it took.
SETTLE_TRIES: Final = 3000
_SETTLE_PAUSE_S: Final = 0.1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds of one call."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class SizeFigures:
    """One backend at one size."""

    backend: str
    entries: int
    exact: Spread
    semantic: Spread
    #: Of lookups by a rewording, the share that found the entry it rewords.
    found: float
    #: Of all lookups and stores, those that the backend did not answer; their time, until it gave up, counts
    #: too. The next lookup waits until it answers again; a store is repeated, as the cache's queue does.
    failed: int
    #: One call that stores `batch` entries, on the way from the size before.
    store: Spread
    batch: int
    #: Resident memory of this process for each entry, answers included; None: another process has them.
    bytes_per_entry: float | None


@dataclass(frozen=True, slots=True)
class Subject:
    """A backend to be measured."""

    name: str
    backend: CacheBackend
    #: Entries stored with one call.
    batch: int
    #: The entries are in this process's memory and nowhere else.
    in_process: bool
    #: False while it is at work on what it took.
    is_settled: Callable[[], bool] = lambda: True
    #: Between two tries of a store that it does not answer.
    store_pause_s: float = 1.0


async def measure_sizes(
    subject: Subject,
    vectors: MadeVectors,
    sizes: Sequence[int],
    *,
    lookups: int,
    on_stored: Callable[[int], None],
) -> AsyncIterator[SizeFigures]:
    """The figures of each size, the sizes rising; `on_stored` hears of new entries.

    Raises:
        CacheError: the backend does not answer, or not with what it took.
    """
    before, stored = resident_bytes(), 0
    for size in sizes:
        stores_s, stores_failed = await _store(subject, vectors, stored, size, on_stored)
        stored = size
        await _settle(subject, size)
        memory = resident_bytes() - before
        asked, exact_s, exact_failed = await _look_up_exactly(subject, size, lookups)
        found, semantic_s, semantic_failed = await _look_up_by_meaning(subject, size, asked)
        yield SizeFigures(
            backend=subject.name,
            entries=size,
            exact=_spread(exact_s),
            semantic=_spread(semantic_s),
            found=found / lookups,
            failed=stores_failed + exact_failed + semantic_failed,
            store=_spread(stores_s),
            batch=subject.batch,
            bytes_per_entry=memory / size if subject.in_process else None,
        )


async def _store(
    subject: Subject, vectors: MadeVectors, stored: int, size: int, on_stored: Callable[[int], None]
) -> tuple[list[float], int]:
    took_s: list[float] = []
    calls = 0
    for first in range(stored, size, subject.batch):
        rows = vectors.at(first, min(subject.batch, size - first))
        entries = made_entries(first, rows, now_s=time.time())
        took_s += await _put(subject, entries)
        calls += 1
        on_stored(len(entries))
    return took_s, len(took_s) - calls


async def _put(subject: Subject, entries: Sequence[Entry]) -> list[float]:
    """Seconds of each try, the last of which went well."""
    took_s: list[float] = []
    while True:
        result, seconds = await _timed(partial(subject.backend.put, entries))
        took_s.append(seconds)
        if not isinstance(result, CacheError):
            return took_s
        if len(took_s) == STORE_TRIES:
            raise result
        await asyncio.sleep(subject.store_pause_s)


async def _settle(subject: Subject, size: int) -> None:
    last = made_fingerprint(size - 1)
    for _ in range(SETTLE_TRIES):
        with suppress(CacheError):
            if await _is_settled(subject, await subject.backend.get(last)):
                return
        await asyncio.sleep(_SETTLE_PAUSE_S)
    raise CacheError("bench", f"{subject.name}: not ready long after the last store")


async def _is_settled(subject: Subject, last: Entry | None) -> bool:
    if last is None or last.vector is None:
        return False
    # Asking is what lets a new index take over.
    return bool(await _search(subject, last, last.vector)) and subject.is_settled()


async def _look_up_exactly(subject: Subject, size: int, lookups: int) -> tuple[list[Entry], list[float], int]:
    asked: list[Entry] = []
    took_s: list[float] = []
    failed = 0
    for number in np.random.default_rng(size).integers(0, size, lookups).tolist():
        entry, seconds = await _timed(partial(subject.backend.get, made_fingerprint(number)))
        took_s.append(seconds)
        match entry:
            case Entry():
                asked.append(entry)
            case CacheError():
                failed += 1
                await _settle(subject, size)
            case None:
                raise CacheError("bench", f"{subject.name}: entry {number} was stored and is not there")
    return asked, took_s, failed


async def _look_up_by_meaning(
    subject: Subject, size: int, asked: Sequence[Entry]
) -> tuple[int, list[float], int]:
    if not asked:
        raise CacheError("bench", f"{subject.name}: not one lookup was answered")
    rows = reworded(np.array([entry.vector for entry in asked], dtype=np.float32))
    found, failed, took_s = 0, 0, list[float]()
    for entry, row in zip(asked, rows, strict=True):
        near, seconds = await _timed(partial(_search, subject, entry, row))
        took_s.append(seconds)
        if isinstance(near, CacheError):
            failed += 1
            await _settle(subject, size)
        else:
            found += any(each.entry.fingerprint == entry.fingerprint for each in near)
    return found, took_s, failed


async def _search(subject: Subject, entry: Entry, vector: Vector) -> Sequence[Neighbour]:
    return await subject.backend.search(entry.scope, entry.partition, vector, limit=CANDIDATES_MAX)


async def _timed(work: Callable[[], Awaitable[T]]) -> tuple[T | CacheError, float]:
    begun_s = time.perf_counter()
    result: T | CacheError
    try:
        result = await work()
    except CacheError as error:
        result = error
    return result, time.perf_counter() - begun_s


def _spread(seconds: Sequence[float]) -> Spread:
    p50, p99 = np.quantile(seconds, (0.5, 0.99)).tolist()
    return Spread(1e3 * p50, 1e3 * p99)


def resident_bytes() -> int:
    """Resident memory of this process; 0 where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)
