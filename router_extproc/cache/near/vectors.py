"""The vectors of one partition, however many: all compared while they are few, in groups when many.

It is not shared between threads; only the making of a larger index runs beside the caller. The rules it
keeps: growing loses nothing and lets nobody wait, and a similarity is always that of the vector itself.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Final, TypeAlias

import numpy as np

from router_extproc.cache.base import Fingerprint
from router_extproc.cache.near.ivf import SAMPLES_PER_GROUP, IvfIndex, Rows, find_centres
from router_extproc.models.base import Vector

#: Runs work beside the caller.
Start: TypeAlias = Callable[[Callable[[], IvfIndex | None]], "Future[IvfIndex | None]"]

#: So many are compared one by one; more stand in an index.
LISTED_MAX: Final = 128
#: So many are one group, which takes half a millisecond to compare; more are grouped.
GROUPED_FROM: Final = 16_384
#: Groups are made anew when there are so many times more vectors, or fewer.
REGROUP_GROWTH: Final = 4
#: Proposals of the index for each neighbour asked for, which are then compared themselves.
PROPOSALS_PER_NEIGHBOUR: Final = 8
#: Vectors that enter a new index in one step; requests go between steps.
STEP: Final = 256
_GROUPS_PER_ROOT: Final = 2


class VectorIndex:
    """Vectors of length 1 by fingerprint; they are kept, not copied, and must not change."""

    def __init__(self, dim: int, *, start: Start) -> None:
        """`dim`: length of every vector; `start` runs what makes a larger index."""
        self._dim: Final = dim
        self._start: Final = start
        #: By place; places of removed vectors are None and used again.
        self._vectors: Final[list[Vector | None]] = []
        self._keys: Final[list[Fingerprint]] = []
        self._place_of: Final[dict[Fingerprint, int]] = {}
        self._vacant: Final[list[int]] = []
        self._groups: IvfIndex | None = None
        #: How many there were when they were last grouped; 0: they are one group.
        self._grouped_at = 0
        self._regrouping: _Regrouping | None = None

    def __len__(self) -> int:
        return len(self._place_of)

    @property
    def is_growing(self) -> bool:
        """True while a new index is made, or wanted."""
        return self._regrouping is not None or self._is_misfit

    def put(self, key: Fingerprint, vector: Vector) -> None:
        """Take in a key that is not there yet."""
        self._go_on()
        place = self._occupy(key, vector)
        if self._groups is not None:
            self._groups.add([place], vector.reshape(1, -1))
        elif len(self) > LISTED_MAX:
            self._groups = IvfIndex(self._dim)
            _fill(self._groups, self._vectors, range(len(self._vectors)))

    def remove(self, keys: Sequence[Fingerprint]) -> None:
        """Forget keys that are there."""
        places = [self._place_of.pop(key) for key in keys]
        for place in places:
            self._vectors[place] = None
            self._note(place)
        self._vacant.extend(places)
        if self._groups is not None:
            self._groups.remove(places)
        if len(self) < LISTED_MAX // 2:
            self._groups = None

    def nearest(self, vector: Vector, *, limit: int) -> list[tuple[Fingerprint, float]]:
        """Up to `limit` keys and their cosines, nearest first."""
        self._go_on()
        places, rows = _rows(self._vectors, self._proposed(vector, limit))
        if not places:
            return []
        # Rounding takes the cosine of equal vectors above 1; a broken vector's stays what it is, no number.
        similarities = np.clip(rows @ vector, -1.0, 1.0)
        order = np.argsort(-similarities, kind="stable")[:limit].tolist()
        return [(self._keys[places[at]], float(similarities[at])) for at in order]

    def _proposed(self, vector: Vector, limit: int) -> list[int]:
        if self._groups is None:
            return list(self._place_of.values())
        return self._groups.propose(vector, PROPOSALS_PER_NEIGHBOUR * limit)

    def _occupy(self, key: Fingerprint, vector: Vector) -> int:
        if self._vacant:
            place = self._vacant.pop()
            self._vectors[place], self._keys[place] = vector, key
        else:
            place = len(self._vectors)
            self._vectors.append(vector)
            self._keys.append(key)
        self._place_of[key] = place
        self._note(place)
        return place

    def _note(self, place: int) -> None:
        # After the vector stands there, or is gone: the other thread reads it when it finds the note.
        if self._regrouping is not None:
            self._regrouping.changed[place] = None

    def _go_on(self) -> None:
        if self._regrouping is None:
            if self._is_misfit:
                self._grouped_at = len(self) if len(self) >= GROUPED_FROM else 0
                self._regrouping = _Regrouping(self._dim, self._vectors, _group_count(len(self)), self._start)
        elif self._regrouping.result.done():
            self._take_over(self._regrouping)

    @property
    def _is_misfit(self) -> bool:
        if not self._grouped_at:
            return len(self) >= GROUPED_FROM
        return not self._grouped_at // REGROUP_GROWTH <= len(self) < REGROUP_GROWTH * self._grouped_at

    def _take_over(self, regrouping: _Regrouping) -> None:
        self._regrouping = None
        # After a failure (no memory, perhaps) searches stay right and slow until it has grown on.
        groups = None if regrouping.result.exception() else regrouping.result.result()
        if groups is not None:
            regrouping.catch_up(groups)
            self._groups = groups


class _Regrouping:
    """A new index, made beside the caller, who goes on changing the vectors and notes where."""

    def __init__(self, dim: int, vectors: list[Vector | None], count: int, start: Start) -> None:
        self._dim: Final = dim
        self._vectors: Final = vectors
        self._count: Final = count
        #: Places to be looked at (again), at most each one once; a dictionary, for its single operations
        #: are safe between two threads.
        self.changed: Final[dict[int, None]] = {}
        self.result: Final = start(self._make)

    def _make(self) -> IvfIndex | None:
        """The index; None: the process is ending."""
        groups = IvfIndex(self._dim, None if self._count == 1 else self._centres())
        for first in range(0, len(self._vectors), STEP):
            if _is_ending():
                return None
            _fill(groups, self._vectors, range(first, min(first + STEP, len(self._vectors))))
        self.catch_up(groups)
        return groups

    def catch_up(self, groups: IvfIndex) -> None:
        """Do to the index what was done to the vectors since."""
        while self.changed:
            places = [self.changed.popitem()[0] for _ in range(min(STEP, len(self.changed)))]
            groups.remove(places)
            _fill(groups, self._vectors, places)

    def _centres(self) -> Rows:
        places = np.linspace(0, len(self._vectors) - 1, self._count * SAMPLES_PER_GROUP, dtype=np.intp)
        # In steps: nobody else runs while rows are put together.
        steps = [places[first : first + STEP].tolist() for first in range(0, len(places), STEP)]
        samples = [_rows(self._vectors, step)[1] for step in steps]
        sample = np.concatenate([rows for rows in samples if len(rows)])
        return find_centres(sample, min(self._count, len(sample)))


def _is_ending() -> bool:
    return not threading.main_thread().is_alive()


def _group_count(vectors: int) -> int:
    return 1 if vectors < GROUPED_FROM else _GROUPS_PER_ROOT * math.isqrt(vectors)


def _fill(groups: IvfIndex, vectors: Sequence[Vector | None], places: Iterable[int]) -> None:
    occupied, rows = _rows(vectors, places)
    if occupied:
        groups.add(occupied, rows)


def _rows(vectors: Sequence[Vector | None], places: Iterable[int]) -> tuple[list[int], Rows]:
    """The places where a vector stands, and these vectors, float32[places, dim]."""
    found = [(place, vector) for place in places if (vector := vectors[place]) is not None]
    rows = np.array([vector for _, vector in found], dtype=np.float32)
    return [place for place, _ in found], rows
