"""Groups rows of like length into batches, in an order that depends on the seed alone.

A batch mixes sources, and short rows do not pay for long ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

RowT = TypeVar("RowT")

#: Batches within which rows are sorted by length.
SORTED_BATCHES = 40


def make_batches(
    rows: Sequence[RowT], size: int, length: Callable[[RowT], int], *, seed: int
) -> list[list[RowT]]:
    """Every row once but the last few of each stretch; rows of one batch are of like length."""
    rng = random.Random(seed)
    order = rng.sample(list(rows), len(rows))
    batches: list[list[RowT]] = []
    stretch = size * SORTED_BATCHES
    for start in range(0, len(order), stretch):
        part = sorted(order[start : start + stretch], key=length)
        cut = [part[place : place + size] for place in range(0, len(part), size)]
        whole = [batch for batch in cut if len(batch) == size]
        batches += rng.sample(whole, len(whole))
    return batches
