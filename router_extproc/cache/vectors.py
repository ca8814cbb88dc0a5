"""The vectors of one partition, compared all at once.

It is not an approximate index: every vector is compared, which is the fastest way up to some ten
thousand. The rule it keeps: rows stay dense, so a search is one matrix product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from router_extproc.cache.base import Fingerprint
from router_extproc.models.base import Vector

_FIRST_ROWS = 4
#: Numbers multiplied at once. A larger product is spread over threads by the library, and waiting for
#: those costs more than they save: 16 ms instead of 0.4 ms at 5,000 rows on two busy cores.
_PRODUCT_NUMBERS_MAX = 400_000


class VectorBlock:
    """Vectors by fingerprint."""

    def __init__(self, dim: int) -> None:
        """`dim`: length of every vector."""
        self._rows: NDArray[np.float32] = np.empty((_FIRST_ROWS, dim), dtype=np.float32)
        self._keys: list[Fingerprint] = []
        self._row_of: dict[Fingerprint, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def put(self, key: Fingerprint, vector: Vector) -> None:
        """Take in a key that is not there yet; the vector is copied."""
        row = len(self._keys)
        if row == len(self._rows):
            self._resize(2 * row)
        self._rows[row] = vector
        self._keys.append(key)
        self._row_of[key] = row

    def remove(self, key: Fingerprint) -> None:
        """Forget a key that is there; the last row takes its place."""
        row = self._row_of.pop(key)
        last = self._keys.pop()
        if last != key:
            self._rows[row] = self._rows[len(self._keys)]
            self._keys[row] = last
            self._row_of[last] = row
        if len(self._rows) > _FIRST_ROWS and len(self._keys) < len(self._rows) // 4:
            self._resize(len(self._rows) // 2)

    def nearest(self, vector: Vector, *, limit: int) -> list[tuple[Fingerprint, float]]:
        """Up to `limit` keys and their cosines, nearest first."""
        count = len(self._keys)
        similarities = self._similarities(vector)
        if count > limit:
            rows = np.argpartition(similarities, count - limit)[count - limit :]
        else:
            rows = np.arange(count)
        ordered = rows[np.argsort(-similarities[rows], kind="stable")]
        return [(self._keys[row], float(similarities[row])) for row in ordered.tolist()]

    def _similarities(self, vector: Vector) -> NDArray[np.float32]:
        found = np.empty(len(self._keys), dtype=np.float32)
        step = max(1, _PRODUCT_NUMBERS_MAX // self._rows.shape[1])
        for start in range(0, len(found), step):
            end = min(start + step, len(found))
            np.dot(self._rows[start:end], vector, out=found[start:end])
        return found

    def _resize(self, rows: int) -> None:
        larger = np.empty((rows, self._rows.shape[1]), dtype=np.float32)
        count = len(self._keys)
        larger[:count] = self._rows[:count]
        self._rows = larger
