"""Vectors of one partition."""

from __future__ import annotations

import numpy as np
import pytest

from router_extproc.cache import vectors
from router_extproc.cache.base import Fingerprint
from router_extproc.cache.vectors import VectorBlock

DIM = 4


def filled(count: int) -> tuple[VectorBlock, np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    rows = np.random.default_rng(0).standard_normal((count, DIM)).astype(np.float32)
    block = VectorBlock(DIM)
    for index, row in enumerate(rows):
        block.put(Fingerprint(str(index)), row)
    return block, rows


def test_large_block_is_compared_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "_PRODUCT_NUMBERS_MAX", 7 * DIM)
    block, rows = filled(50)
    found = dict(block.nearest(rows[3], limit=50))
    assert np.allclose([found[Fingerprint(str(index))] for index in range(50)], rows @ rows[3], atol=1e-5)


def test_nearest_are_those_of_a_full_sort() -> None:
    block, rows = filled(50)
    asked = np.ones(DIM, dtype=np.float32)
    wanted = np.argsort(-(rows @ asked))[:5]
    assert [key for key, _ in block.nearest(asked, limit=5)] == [str(index) for index in wanted]


def test_removal_keeps_every_other_vector_with_its_key() -> None:
    block, rows = filled(50)
    for index in range(0, 50, 2):
        block.remove(Fingerprint(str(index)))
    for index in range(1, 50, 2):
        block.remove(Fingerprint(str(index))) if index < 41 else None
    found = dict(block.nearest(rows[45], limit=50))
    assert set(found) == {"41", "43", "45", "47", "49"}
    assert np.isclose(found[Fingerprint("45")], rows[45] @ rows[45])


def test_vector_is_copied() -> None:
    """The caller may reuse its array."""
    block, rows = filled(1)
    kept = rows[0].copy()
    rows[0] = 0
    assert np.isclose(block.nearest(kept, limit=1)[0][1], kept @ kept)
