"""What a text shows before it is understood: length, figures, layout, the kind of question.

Always the same numbers for the same text, in the order of FEATURES; read of its first CHARS_MAX characters.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Of a longer text only the beginning is read.
CHARS_MAX: Final = 4_000

_QUESTION_WORDS: Final = ("what", "who", "when", "where", "which", "why", "how")
_NUMBER: Final = re.compile(r"\d+")
_UPPER: Final = re.compile(r"[A-Z]")
_DIGIT: Final = re.compile(r"\d")
_OPTION: Final = re.compile(r"(?:^|\n|\s)\(?[A-D][).:]\s")


class Text:
    """One text, and what several features read of it."""

    def __init__(self, whole: str) -> None:
        self.text = whole[:CHARS_MAX]
        self.lower = self.text.lower()
        self.words = self.text.split()
        self.chars = max(1, len(self.text))


Feature: TypeAlias = Callable[[Text], float]


def _has(what: str) -> Feature:
    return lambda read: what in read.lower


def _counts(what: str) -> Feature:
    return lambda read: math.log1p(read.text.count(what))


#: One number each. A model that was trained on them depends on their order and meaning: VERSION tells.
FEATURES: Final[tuple[Feature, ...]] = (
    lambda read: math.log1p(len(read.text)),
    lambda read: math.log1p(len(read.words)),
    lambda read: len(_DIGIT.findall(read.text)) / read.chars,
    lambda read: math.log1p(len(_NUMBER.findall(read.text))),
    _has("?"),
    lambda read: read.text.rstrip().endswith("?"),
    lambda read: read.text.rstrip().endswith((".", "!")),
    _counts("\n"),
    lambda read: _OPTION.search(read.text) is not None,
    _counts(","),
    lambda read: len(_UPPER.findall(read.text)) / read.chars,
    lambda read: read.lower.startswith(_QUESTION_WORDS),
    lambda read: not set(_QUESTION_WORDS).isdisjoint(read.words),
    _has("def "),
    _has("write a"),
    _has("function"),
    _has("$"),
    _has("\\"),
    _has("_"),
    _counts('"'),
    lambda read: read.text[:1].islower(),
    lambda read: sum(map(len, read.words)) / max(1, len(read.words)),
    lambda read: not read.text.isascii(),
    _has("%"),
    _counts("."),
    _has(" of the following"),
    _has("python"),
    _has("="),
)
VERSION: Final = 1


def read_text(text: str) -> NDArray[np.float32]:
    """One number for each of FEATURES, float32[len(FEATURES)]."""
    read = Text(text)
    return np.array([feature(read) for feature in FEATURES], np.float32)
