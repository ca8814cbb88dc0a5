"""The vectors of one partition, however many: all compared while they are few, clustered when many.

It is not shared between threads; only the search for centres runs in one of its own, on a copy. The
rule it keeps: every stored vector is in exactly one part at any time, so growing loses nothing, and a
similarity is always that of the stored vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from heapq import nlargest
from threading import Thread
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from router_extproc.cache.base import Fingerprint
from router_extproc.cache.vectors import VectorBlock, compare, largest
from router_extproc.models.base import Vector

Rows: TypeAlias = NDArray[np.float32]
#: Runs work beside the caller.
Start: TypeAlias = Callable[[Callable[[], Rows]], "Future[Rows]"]

#: So many are compared in about a millisecond; from here on they are clustered.
CLUSTERED_FROM: Final = 16_384
#: Centres are found anew when there are so many times more vectors.
REGROUP_GROWTH: Final = 2
#: Clusters that a search looks into. Measured with entries of similarity 0.8 and more: see docs/cache.md.
PROBES: Final = 16
#: Vectors that one call moves into new clusters, while there are any to move.
MOVED_AT_ONCE: Final = 16
_CENTRES_PER_ROOT: Final = 2
_SAMPLES_PER_CENTRE: Final = 24
_ROUNDS: Final = 4
#: Samples compared with all centres at once, while these are found.
_STEP: Final = 1024


class Part(Protocol):
    """Vectors by fingerprint."""

    def __len__(self) -> int: ...

    def __contains__(self, key: Fingerprint) -> bool: ...

    def put(self, key: Fingerprint, vector: Vector) -> None:
        """Take in a key that is not there yet; the vector is copied."""
        ...

    def remove(self, key: Fingerprint) -> None:
        """Forget a key that is there."""
        ...

    def nearest(self, vector: Vector, *, limit: int) -> list[tuple[Fingerprint, float]]:
        """Up to `limit` keys and their cosines, nearest first."""
        ...

    def take(self, count: int) -> list[tuple[Fingerprint, Vector]]:
        """Remove up to `count` vectors, at least one of those there are; they are copies. Ends all puts."""
        ...

    def sample(self, count: int) -> Rows:
        """A copy of about `count` vectors, spread over all."""
        ...


def start_thread(work: Callable[[], Rows]) -> Future[Rows]:
    """Run the work in a thread that does not hold up the end of the process."""
    result: Future[Rows] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except Exception as error:  # noqa: BLE001 - handed over, as executors do
            result.set_exception(error)

    Thread(target=run, name="cache-clusters", daemon=True).start()
    return result


class VectorIndex:
    """A `Part` that regroups itself as it grows."""

    def __init__(self, dim: int, *, start: Start = start_thread) -> None:
        """`dim`: length of every vector; `start` finds centres beside the caller."""
        self._start: Final = start
        self._current: Part = VectorBlock(dim)
        #: What is moved into the current part, a little with every call.
        self._former: Part | None = None
        self._centres: Future[Rows] | None = None
        self._regroup_from = CLUSTERED_FROM

    def __len__(self) -> int:
        return len(self._current) + (0 if self._former is None else len(self._former))

    def put(self, key: Fingerprint, vector: Vector) -> None:
        """Take in a key that is not there yet; the vector is copied."""
        self._current.put(key, vector)
        self._go_on()

    def remove(self, key: Fingerprint) -> None:
        """Forget a key that is there."""
        if self._former is not None and key in self._former:
            self._former.remove(key)
        else:
            self._current.remove(key)

    def nearest(self, vector: Vector, *, limit: int) -> list[tuple[Fingerprint, float]]:
        """Up to `limit` keys and their cosines, nearest first."""
        self._go_on()
        found = self._current.nearest(vector, limit=limit)
        if self._former is None:
            return found
        return _best(found + self._former.nearest(vector, limit=limit), limit)

    def _go_on(self) -> None:
        if self._former is not None:
            self._move(self._former)
        elif self._centres is not None:
            self._regroup(self._centres)
        elif len(self._current) >= self._regroup_from:
            count = _CENTRES_PER_ROOT * math.isqrt(len(self._current))
            sample = self._current.sample(count * _SAMPLES_PER_CENTRE)
            self._centres = self._start(lambda: find_centres(sample, count))

    def _move(self, former: Part) -> None:
        if len(former):
            for key, vector in former.take(MOVED_AT_ONCE):
                self._current.put(key, vector)
        if not len(former):
            self._former = None

    def _regroup(self, centres: Future[Rows]) -> None:
        if not centres.done():
            return
        self._centres = None
        self._regroup_from = REGROUP_GROWTH * len(self._current)
        if centres.exception() is not None:
            return  # no memory, perhaps: searches stay right and slow until it has grown on
        self._former, self._current = self._current, Clusters(centres.result())


class Clusters:
    """A `Part`: each vector is in the block of its nearest centre; a search looks into the nearest blocks."""

    def __init__(self, centres: Rows) -> None:
        """`centres`: float32[clusters, dim]."""
        self._centres: Final = centres
        self._blocks: Final = [VectorBlock(centres.shape[1]) for _ in centres]
        self._block_of: Final[dict[Fingerprint, VectorBlock]] = {}
        #: Blocks before it were emptied by `take`, after which nothing is put in any more.
        self._taken = 0

    def __len__(self) -> int:
        return len(self._block_of)

    def __contains__(self, key: Fingerprint) -> bool:
        return key in self._block_of

    def put(self, key: Fingerprint, vector: Vector) -> None:
        """See Part."""
        block = self._blocks[int(np.argmax(compare(self._centres, vector)))]
        block.put(key, vector)
        self._block_of[key] = block

    def remove(self, key: Fingerprint) -> None:
        """See Part."""
        self._block_of.pop(key).remove(key)

    def nearest(self, vector: Vector, *, limit: int) -> list[tuple[Fingerprint, float]]:
        """See Part; of the blocks that are looked into."""
        closeness = compare(self._centres, vector)
        probes = min(PROBES, len(self._blocks))
        nearest = np.argpartition(-closeness, probes - 1)[:probes]
        blocks = [self._blocks[index] for index in nearest.tolist()]
        found = np.concatenate([block.similarities(vector) for block in blocks])
        ends = np.cumsum([len(block) for block in blocks])
        chosen: list[tuple[Fingerprint, float]] = []
        for position in largest(found, limit):
            which = int(np.searchsorted(ends, position, side="right"))
            key = blocks[which].key_at(position - int(ends[which]))
            chosen.append((key, float(found[position])))
        return chosen

    def take(self, count: int) -> list[tuple[Fingerprint, Vector]]:
        """See Part."""
        while not len(self._blocks[self._taken]):
            self._taken += 1
        taken = self._blocks[self._taken].take(count)
        for each, _ in taken:
            del self._block_of[each]
        return taken

    def sample(self, count: int) -> Rows:
        """See Part."""
        share = count / max(1, len(self))
        samples = [block.sample(math.ceil(share * len(block))) for block in self._blocks if len(block)]
        return np.concatenate(samples)


def find_centres(sample: Rows, count: int) -> Rows:
    """Up to `count` directions (float32[count, dim]) that the sample gathers around: spherical k-means."""
    order = np.random.default_rng(0).permutation(len(sample))
    centres = sample[order[:count]].copy()
    for _ in range(_ROUNDS):
        sums = np.zeros_like(centres)
        for start in range(0, len(sample), _STEP):
            rows = sample[start : start + _STEP]
            chosen = np.argmax(rows @ centres.T, axis=1)
            order = np.argsort(chosen, kind="stable")
            gathering, firsts = np.unique(chosen[order], return_index=True)
            # Not np.add.at: it keeps Python's lock for tens of milliseconds, in which nothing is served.
            sums[gathering] += np.add.reduceat(rows[order], firsts, axis=0)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        # A centre that gathers nothing stays where it is.
        centres = np.where(lengths > 0, sums / np.maximum(lengths, np.finfo(np.float32).tiny), centres)
    return centres


def _best(found: list[tuple[Fingerprint, float]], limit: int) -> list[tuple[Fingerprint, float]]:
    return nlargest(limit, found, key=lambda each: each[1])
