"""What clients wrap around the question that a human asked, as patterns of plain text.

No pattern is a regular expression of its author's, so that finding them takes linear time on any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

#: How far a passage goes, beside any other text at which it ends.
LINE: Final = "line"
MESSAGE: Final = "message"
#: Characters by which patterns are looked up.
KEY_CHARS: Final = 4
#: Marks that fence code.
FENCES: Final = ("```", "~~~")
FENCE_CHARS: Final = 3


@dataclass(frozen=True, slots=True)
class Tag:
    """<NAME ...> ... </NAME> is left out."""

    kind: str
    name: str
    #: The message must hold this, too; "": nothing more is needed.
    beside: str = ""

    @property
    def start(self) -> str:
        """How it begins."""
        return f"<{self.name}"


@dataclass(frozen=True, slots=True)
class Passage:
    """What begins with `start` is left out: to the end of the line, of the message, or of a text."""

    kind: str
    start: str
    #: The same line must hold this, too.
    line: str
    until: str
    beside: str = ""


@dataclass(frozen=True, slots=True)
class AskTag:
    """<NAME> ... </NAME> is what a human asked."""

    name: str
    #: Nothing else in the message is.
    alone: bool

    @property
    def start(self) -> str:
        """How it begins."""
        return f"<{self.name}"


Pattern: TypeAlias = Tag | Passage | AskTag


@dataclass(frozen=True)
class Harness:
    """The patterns in use; frozen, indexed once."""

    patterns: tuple[Pattern, ...]

    @cached_property
    def by_key(self) -> Mapping[str, tuple[Pattern, ...]]:
        """The patterns by the characters with which they begin, the longest first."""
        index: dict[str, tuple[Pattern, ...]] = {}
        for pattern in sorted(self.patterns, key=lambda pattern: -len(pattern.start)):
            key = pattern.start[:KEY_CHARS]
            index[key] = (*index.get(key, ()), pattern)
        return index

    @cached_property
    def line_start(self) -> re.Pattern[str]:
        """Finds the next line that may begin with a pattern, or with a code fence."""
        # Possessive: white space is not given back, so a long run of it is read once.
        return re.compile(rf"\n[ \t]*+(?={_any_of({*self.by_key, *FENCES})})")

    def with_more(self, patterns: Iterable[Pattern]) -> Harness:
        """These patterns and further ones."""
        return Harness((*self.patterns, *patterns))


def _any_of(texts: AbstractSet[str]) -> str:
    """A regular expression of these texts that looks at each character once."""
    by_first: dict[str, set[str]] = {}
    for text in filter(None, texts):
        by_first.setdefault(text[0], set()).add(text[1:])
    ways = [re.escape(first) + _any_of(rest) for first, rest in sorted(by_first.items()) if "" not in rest]
    ways += [re.escape(first) for first, rest in sorted(by_first.items()) if "" in rest]
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"
