"""A screen by words alone: which texts a head need not read, because it would find nothing in them.

Microseconds a text, where an encoder pass takes milliseconds. A feature is a word, a sign, or two neighbours,
hashed into a table of weights.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

#: Rows of the table; features that fall on one row share it.
BUCKETS: Final = 16_384
#: Factors that spread words, and pairs of them, over the buckets.
SINGLE_FACTOR: Final = 7_919
LEFT_FACTOR: Final = 245_489
RIGHT_FACTOR: Final = 104_729
#: Length of a text's feature vector, and what keeps a text of unknown words from dividing by zero.
LENGTH: Final = 6.0
EPSILON: Final = 1e-6
#: Words of a text that are looked at.
WORDS_MAX: Final = 256
_WORD: Final = re.compile(r"[^\W\d_]+|\d|[^\w\s]")
_HASH_MASK: Final = 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class LexicalScreen:
    """Fits models.base.Screen."""

    #: float32[BUCKETS]: what each feature speaks for, and how much it counts.
    weights: NDArray[np.float32]
    rarity: NDArray[np.float32]
    #: Added to the sum: 0 is where a text need not be read any more.
    offset: float

    def suspicions(self, texts: Sequence[str]) -> list[float]:
        """See models.base.Screen."""
        return [self._suspicion(words_of(text)) for text in texts]

    def _suspicion(self, words: NDArray[np.int64]) -> float:
        if not len(words):
            return -np.inf
        features = features_of(words)
        counts = self.rarity[features]
        length = np.sqrt((counts * counts).sum() + EPSILON)
        return float((counts * self.weights[features]).sum() * LENGTH / length + self.offset)


def words_of(text: str) -> NDArray[np.int64]:
    """The hashed words and signs of a text."""
    found = _WORD.findall(text.lower())[:WORDS_MAX]
    hashed = [crc32(word.encode("utf-8", "surrogatepass")) & _HASH_MASK for word in found]
    return np.array(hashed, np.int64)


def features_of(words: NDArray[np.int64]) -> NDArray[np.int64]:
    """The buckets of words and pairs of neighbours; words: int64[n], at least one."""
    single = words * SINGLE_FACTOR % BUCKETS
    pairs = (words[:-1] * LEFT_FACTOR + words[1:] * RIGHT_FACTOR) % BUCKETS
    return np.concatenate([single, pairs])
