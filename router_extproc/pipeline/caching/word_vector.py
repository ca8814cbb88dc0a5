"""A vector made of a text's words alone: the same words have the same one, any others are far apart.

Where only the same words share an answer, it finds them without the encoder.
"""

from __future__ import annotations

import unicodedata
from hashlib import shake_256

import numpy as np

from router_extproc.equivalence import QUESTION_CHARS_MAX, read_question
from router_extproc.models.base import Vector

#: Middle of a byte's values, so that the numbers lie around 0.
_MIDDLE = 127.5


def word_vector(text: str, dim: int) -> Vector | None:
    """float32[dim] of length 1; None: it has no words, is too long, or its script combines signs."""
    words = [token.text for token in read_question(text).tokens]
    if not words or len(text) > QUESTION_CHARS_MAX or _has_combined_signs(text):
        return None
    digest = shake_256("\0".join(words).encode("utf-8", "surrogatepass")).digest(dim)
    numbers = np.frombuffer(digest, np.uint8).astype(np.float32) - np.float32(_MIDDLE)
    vector: Vector = numbers / np.linalg.norm(numbers)
    return vector


def _has_combined_signs(text: str) -> bool:
    """True where vowels are signs beside the letters (Hindi, Thai): words are not read whole there."""
    return not text.isascii() and any(
        unicodedata.category(letter).startswith("M") for letter in unicodedata.normalize("NFC", text)
    )
