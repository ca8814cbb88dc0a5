"""The words around a number that say what it is; the nearest one that says anything decides."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

BEFORE_CHARS_MAX = 48
AFTER_CHARS_MAX = 12


@dataclass(frozen=True, slots=True)
class Nearby:
    """The text before and after a match, in lower case."""

    before: str
    after: str

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Nearby:
        """The surroundings of text[start:end]."""
        before = text[max(0, start - BEFORE_CHARS_MAX) : start]
        return cls(before.lower(), text[end : end + AFTER_CHARS_MAX].lower())


#: Whether a match is what its pattern is for.
Check: TypeAlias = Callable[[str, Nearby], bool]


def is_announced(before: str, cue: re.Pattern[str], other: re.Pattern[str]) -> bool:
    """True when a cue is there, and nothing nearer that announces something else."""
    cues, others = list(cue.finditer(before)), list(other.finditer(before))
    return bool(cues) and (not others or cues[-1].end() > others[-1].end())
