"""The vectors of one partition, compared all at once.

It is not an approximate index: every vector is compared, which is the fastest way up to some ten
thousand (`clusters` takes more). The rule it keeps: rows stay dense, so a search is one matrix product.
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

    def __contains__(self, key: Fingerprint) -> bool:
        return key in self._row_of

    def put(self, key: Fingerprint, vector: Vector) -> None:
        """Take in a key that is not there yet; the vector is copied."""
        row = len(self._keys)
        if row == len(self._rows):
            self._resize(row + max(_FIRST_ROWS, row // 2))
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

    def take(self, count: int) -> list[tuple[Fingerprint, Vector]]:
        """Remove up to `count` vectors, the latest; they are copies."""
        keys = self._keys[-count:]
        taken = [(key, self._rows[self._row_of[key]].copy()) for key in keys]
        for key in reversed(keys):
            self.remove(key)
        return taken

    def sample(self, count: int) -> NDArray[np.float32]:
        """A copy of up to `count` vectors, evenly spread."""
        rows = np.linspace(0, len(self) - 1, min(count, len(self)), dtype=np.intp)
        return self._rows[rows]

    def nearest(self, vector: Vector, *, limit: int) -> list[tuple[Fingerprint, float]]:
        """Up to `limit` keys and their cosines, nearest first."""
        found = self.similarities(vector)
        return [(self._keys[row], float(found[row])) for row in largest(found, limit)]

    def similarities(self, vector: Vector) -> NDArray[np.float32]:
        """The cosine of every row."""
        return compare(self._rows[: len(self)], vector)

    def key_at(self, row: int) -> Fingerprint:
        """The key of a row; negative rows count from the end."""
        return self._keys[row]

    def _resize(self, rows: int) -> None:
        larger = np.empty((rows, self._rows.shape[1]), dtype=np.float32)
        count = len(self._keys)
        larger[:count] = self._rows[:count]
        self._rows = larger


def compare(rows: NDArray[np.float32], vector: Vector) -> NDArray[np.float32]:
    """The products of a vector with many."""
    found = np.empty(len(rows), dtype=np.float32)
    step = max(1, _PRODUCT_NUMBERS_MAX // rows.shape[1])
    for start in range(0, len(rows), step):
        np.dot(rows[start : start + step], vector, out=found[start : start + step])
    return found


def largest(found: NDArray[np.float32], limit: int) -> list[int]:
    """Where the `limit` largest numbers stand, largest first."""
    count = len(found)
    places = np.arange(count) if count <= limit else np.argpartition(found, count - limit)[count - limit :]
    ordered: list[int] = places[np.argsort(-found[places], kind="stable")].tolist()
    return ordered
