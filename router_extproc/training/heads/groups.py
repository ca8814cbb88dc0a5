"""Groups near-duplicate texts and splits rows so that no group is on both sides.

Texts that open with the same words, or whose vectors are nearly equal, stay together; else a figure would
measure memory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Cosine from which two texts are the same question.
COSINE_MIN = 0.92
#: Texts that share these many first words (numbers aside) are of one template.
OPENING_WORDS = 12
#: The largest group that may be judged on, as a share of all rows.
GROUP_SHARE_MAX = 0.01
#: Rows compared at a time.
CHUNK_ROWS = 1024

WORD = re.compile(r"[^\W\d]+")


def group_rows(texts: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """The group of each text, int64[n]; groups are named by their first row."""
    parents = list(range(len(texts)))
    join_openings(texts, parents)
    for start in range(0, len(texts), CHUNK_ROWS):
        likeness = vectors[start : start + CHUNK_ROWS] @ vectors[start:].T
        for left, right in np.argwhere(likeness >= COSINE_MIN):
            join(parents, start + int(left), start + int(right))
    return np.array([root_of(parents, row) for row in range(len(texts))], np.int64)


def join_openings(texts: Sequence[str], parents: list[int]) -> None:
    """Join the texts of each template."""
    first: dict[tuple[str, ...], int] = {}
    for row, text in enumerate(texts):
        words = tuple(WORD.findall(text.casefold())[:OPENING_WORDS])
        if len(words) == OPENING_WORDS:
            join(parents, first.setdefault(words, row), row)


def join(parents: list[int], left: int, right: int) -> None:
    """Make one group of two."""
    low, high = sorted((root_of(parents, left), root_of(parents, right)))
    parents[high] = low


def root_of(parents: list[int], row: int) -> int:
    """The row that names the group; shortens the way for the next call."""
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


def split_groups(groups: NDArray[np.int64], *, test_share: float, seed: int) -> NDArray[np.bool_]:
    """True for the rows of the test part, about test_share of all; bool[n].

    Groups of more than GROUP_SHARE_MAX of all rows stay out of it: one template would be the figure.
    """
    every, counts = np.unique(groups, return_counts=True)
    names = every[counts <= max(1.0, GROUP_SHARE_MAX * len(groups))]
    generator = np.random.default_rng(seed)
    chosen = names[generator.random(len(names)) < test_share]
    return np.isin(groups, chosen)
