"""Entries for measuring a cache by its size: real questions first, then what lies between two of them.

Prompts and answers are filler of a usual length, only vectors are like real ones. Two runs with the same
sizes store the same entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from router_extproc.cache.base import Entry, Fingerprint, Partition, Scope
from router_extproc.cache.digest import digest, text

Rows: TypeAlias = NDArray[np.float32]

#: Directions that made-up questions gather around, where no real ones are given.
TOPICS: Final = 2000
#: Length of an answer, in bytes: some two hundred words.
ANSWER_BYTES: Final = 1024
#: How near a rewording is to the question that it rewords.
REWORDED_MIN: Final = 0.8
_TTL_S: Final = 86_400.0
#: A made-up question is so much of what it lies between, and so much of nothing.
_SHARED, _OWN = np.float32(0.9), np.float32(0.44)
_PARTITION: Final = Partition(digest(b"bench-partition", [b"one"]))
_SCOPE: Final = Scope(digest(b"bench-scope", [b"one"]))


class MadeVectors:
    """Vectors of length 1 by number."""

    def __init__(self, base: Rows) -> None:
        """`base`: float32[questions, dim], at least two; they come first."""
        self._base: Final = base

    def at(self, first: int, count: int) -> Rows:
        """Some, in a row: float32[count, dim]."""
        real = self._base[first : first + count]
        return np.concatenate([real, self._between(first + len(real), count - len(real))])

    def _between(self, first: int, count: int) -> Rows:
        rng = np.random.default_rng(first)
        one, other = self._base[rng.integers(0, len(self._base), (2, count))]
        weight = rng.uniform(0.2, 0.8, (count, 1)).astype(np.float32)
        noise = _unit(rng.standard_normal(one.shape, dtype=np.float32))
        return _unit(_SHARED * _unit(weight * one + (1 - weight) * other) + _OWN * noise)


def made_topics(dim: int) -> Rows:
    """Directions in place of real questions."""
    return _unit(np.random.default_rng(0).standard_normal((TOPICS, dim), dtype=np.float32))


def reworded(rows: Rows) -> Rows:
    """A vector beside each, of a similarity from REWORDED_MIN to 1."""
    rng = np.random.default_rng(0)
    similarity = rng.uniform(REWORDED_MIN, 1, (len(rows), 1)).astype(np.float32)
    noise = rng.standard_normal(rows.shape, dtype=np.float32)
    across = _unit(noise - np.sum(noise * rows, axis=1, keepdims=True) * rows)
    away = np.sqrt(1 - similarity**2)
    return np.asarray(similarity * rows + away * across, dtype=np.float32)


def made_entries(first: int, rows: Rows, *, now_s: float) -> Sequence[Entry]:
    """Entries of one partition, with these vectors, numbered from `first`."""
    return [_entry(number, row, now_s) for number, row in enumerate(rows, first)]


def made_fingerprint(number: int) -> Fingerprint:
    """The fingerprint of an entry by its number."""
    return Fingerprint(digest(b"bench-entry", [text(str(number))]))


def _entry(number: int, row: NDArray[np.float32], now_s: float) -> Entry:
    return Entry(
        fingerprint=made_fingerprint(number),
        partition=_PARTITION,
        scope=_SCOPE,
        vector=row.copy(),
        prompt=f"What is known about the matter with the number {number}?",
        answer=np.random.default_rng(number).bytes(ANSWER_BYTES),
        dialect="openai_chat",
        model="small",
        decision="default",
        created_s=now_s,
        expires_s=now_s + _TTL_S,
    )


def _unit(rows: Rows) -> Rows:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
