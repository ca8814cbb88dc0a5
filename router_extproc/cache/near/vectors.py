"""The vectors of one partition: all compared while they are few, clustered when they are many.

Growing loses nothing and blocks nobody: a larger index is built beside the caller. A similarity is always
computed from the vector itself. Otherwise for one thread only.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from router_extproc.cache.base import Fingerprint
from router_extproc.cache.near.ivf import SAMPLES_PER_GROUP, IvfIndex, Rows, find_centres
from router_extproc.models.base import Vector

#: Runs work beside the caller.
Start: TypeAlias = Callable[[Callable[[], IvfIndex | None]], "Future[IvfIndex | None]"]

#: Groups are made anew when there are so many times more vectors, or fewer.
REGROUP_GROWTH: Final = 4
#: Proposals of the index for each neighbour asked for, which are then compared themselves.
PROPOSALS_PER_NEIGHBOUR: Final = 8
_GROUPS_PER_ROOT: Final = 2


@dataclass(frozen=True, slots=True)
class IndexSizes:
    """From how many vectors on they are kept in another way."""

    #: So many are compared one by one; more are in an index.
    listed_max: int = 128
    #: Fewer are one group, which takes half a millisecond to compare; from here on they are grouped.
    grouped_from: int = 16_384
    #: Vectors that enter a new index in one step; requests are served between steps.
    step: int = 256


SIZES: Final = IndexSizes()


class VectorIndex:
    """Vectors of length 1 by fingerprint; they are kept, not copied, and must not change."""

    def __init__(
        self,
        dim: int,
        *,
        start: Start,
        sizes: IndexSizes = SIZES,
        is_ending: Callable[[], bool] = lambda: not threading.main_thread().is_alive(),
    ) -> None:
        """`dim`: length of every vector; `start` runs what makes a larger index.

        is_ending: true when the process ends, which waits for what was started.
        """
        self._dim: Final = dim
        self._start: Final = start
        self._sizes: Final = sizes
        self._is_ending: Final = is_ending
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
        elif len(self) > self._sizes.listed_max:
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
        if len(self) < self._sizes.listed_max // 2:
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
                self._regrouping = self._regroup()
        elif self._regrouping.result.done():
            self._take_over(self._regrouping)

    def _regroup(self) -> _Regrouping:
        is_one_group = len(self) < self._sizes.grouped_from
        self._grouped_at = 0 if is_one_group else len(self)
        count = 1 if is_one_group else _GROUPS_PER_ROOT * math.isqrt(len(self))
        shape = _IndexShape(self._dim, count, self._sizes.step)
        return _Regrouping(shape, self._vectors, self._start, self._is_ending)

    @property
    def _is_misfit(self) -> bool:
        if not self._grouped_at:
            return len(self) >= self._sizes.grouped_from
        return not self._grouped_at // REGROUP_GROWTH <= len(self) < REGROUP_GROWTH * self._grouped_at

    def _take_over(self, regrouping: _Regrouping) -> None:
        self._regrouping = None
        # After a failure (no memory, perhaps) searches stay right and slow until it has grown on.
        groups = None if regrouping.result.exception() else regrouping.result.result()
        if groups is not None:
            regrouping.catch_up(groups)
            self._groups = groups


@dataclass(frozen=True, slots=True)
class _IndexShape:
    """An index that is to be made."""

    dim: int
    #: Groups.
    count: int
    #: Vectors that enter it in one step.
    step: int


class _Regrouping:
    """A new index, built while the caller continues to change the vectors and records which."""

    def __init__(
        self, shape: _IndexShape, vectors: list[Vector | None], start: Start, is_ending: Callable[[], bool]
    ) -> None:
        self._shape: Final = shape
        self._vectors: Final = vectors
        self._is_ending: Final = is_ending
        #: Places to be looked at (again), at most each one once; a dictionary, for its single operations
        #: are safe between two threads.
        self.changed: Final[dict[int, None]] = {}
        self.result: Final = start(self._make)

    def _make(self) -> IvfIndex | None:
        """The index; None: the process is ending."""
        shape = self._shape
        groups = IvfIndex(shape.dim, None if shape.count == 1 else self._centres())
        for first in range(0, len(self._vectors), shape.step):
            if self._is_ending():
                return None
            _fill(groups, self._vectors, range(first, min(first + shape.step, len(self._vectors))))
        self.catch_up(groups)
        return groups

    def catch_up(self, groups: IvfIndex) -> None:
        """Do to the index what was done to the vectors since."""
        while self.changed:
            places = [self.changed.popitem()[0] for _ in range(min(self._shape.step, len(self.changed)))]
            groups.remove(places)
            _fill(groups, self._vectors, places)

    def _centres(self) -> Rows:
        count, step = self._shape.count, self._shape.step
        places = np.linspace(0, len(self._vectors) - 1, count * SAMPLES_PER_GROUP, dtype=np.intp)
        # In steps: nobody else runs while rows are put together.
        steps = [places[first : first + step].tolist() for first in range(0, len(places), step)]
        samples = [_rows(self._vectors, each)[1] for each in steps]
        sample = np.concatenate([rows for rows in samples if len(rows)])
        return find_centres(sample, min(count, len(sample)))


def _fill(groups: IvfIndex, vectors: Sequence[Vector | None], places: Iterable[int]) -> None:
    occupied, rows = _rows(vectors, places)
    if occupied:
        groups.add(occupied, rows)


def _rows(vectors: Sequence[Vector | None], places: Iterable[int]) -> tuple[list[int], Rows]:
    """The places where a vector stands, and these vectors, float32[places, dim]."""
    found = [(place, vector) for place in places if (vector := vectors[place]) is not None]
    rows = np.array([vector for _, vector in found], dtype=np.float32)
    return [place for place, _ in found], rows
