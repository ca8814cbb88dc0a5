"""Vectors by number, in an index of faiss: found by likeness, in groups when they are many.

It is not exact: a vector is one byte for each number here, and a search looks into the nearest groups
only; whoever asks compares the proposals himself. The rule it keeps: one thread, whatever OpenMP would
take, for the other cores belong to Envoy and to other workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import faiss
import numpy as np
from numpy.typing import NDArray

from router_extproc.models.base import Vector

Rows: TypeAlias = NDArray[np.float32]

#: Groups that a search looks into. Measured on real questions: see docs/measurements/cache.md.
PROBES: Final = 16
#: The centres of groups are found from so many vectors each, in so many rounds.
SAMPLES_PER_GROUP: Final = 32
_ROUNDS: Final = 5
#: Numbers of a vector of length 1 become whole numbers from -127 to 127.
_SCALE: Final = np.float32(127)
_NOTHING: Final = -1


class IvfIndex:
    """Vectors of length 1 by a number of the caller's, each in the group of its nearest centre."""

    def __init__(self, dim: int, centres: Rows | None = None) -> None:
        """`centres`: float32[groups, dim]; None: one group, all of it compared."""
        if centres is None:
            centres = np.zeros((1, dim), dtype=np.float32)
        _stay_in_this_thread()
        quantizer = faiss.IndexFlatIP(dim)
        quantizer.add(centres)
        self._index: Final = faiss.IndexIVFScalarQuantizer(
            quantizer,
            dim,
            len(centres),
            faiss.ScalarQuantizer.QT_8bit_direct_signed,
            faiss.METRIC_INNER_PRODUCT,
            False,  # by_residual
        )
        self._index.train(centres)  # learns nothing: the centres are there, and codes are not trained
        # Without it a removal reads every number there is.
        self._index.set_direct_map_type(faiss.DirectMap.Hashtable)  # type: ignore[attr-defined]  # not in its types
        self._index.nprobe = min(PROBES, len(centres))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, numbers: Sequence[int], rows: Rows) -> None:
        """Take in numbers that are not there yet; the rows (float32[n, dim]) are copied."""
        _stay_in_this_thread()
        self._index.add_with_ids(_whole(rows), np.asarray(numbers, dtype=np.int64))

    def remove(self, numbers: Sequence[int]) -> None:
        """Forget those of the numbers that are there."""
        self._index.remove_ids(faiss.IDSelectorArray(np.asarray(numbers, dtype=np.int64)))

    def propose(self, vector: Vector, count: int) -> list[int]:
        """Up to `count` numbers, the likeliest to be near."""
        _, found = self._index.search(_whole(vector.reshape(1, -1)), count)
        return [number for number in found[0].tolist() if number != _NOTHING]


def find_centres(sample: Rows, count: int) -> Rows:
    """The directions (float32[count, dim]) that a sample of at least `count` vectors gathers around."""
    _stay_in_this_thread()
    clustering = faiss.Kmeans(
        sample.shape[1],
        count,
        niter=_ROUNDS,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=SAMPLES_PER_GROUP,
    )
    clustering.train(sample)
    return np.asarray(clustering.centroids, dtype=np.float32)


def _whole(rows: Rows) -> Rows:
    # The library cuts what is behind the point, also of the vector that is searched for.
    whole: Rows = np.clip(np.rint(rows * _SCALE), -_SCALE, _SCALE)
    return whole


def _stay_in_this_thread() -> None:
    # The setting is of the calling thread, and a new thread starts without it.
    faiss.omp_set_num_threads(1)
