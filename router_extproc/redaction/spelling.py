"""A piece of an answer as it is read: of JSON that comes in pieces, what its strings say.

A find in what is read has its place in what is written, so that a mask never takes half of an escape away.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Final

from router_extproc.dialects.base import TextForm

_TOKEN: Final = re.compile(r'\\u[0-9a-fA-F]{4}|\\.|"|[^\\"]+|\\', re.DOTALL)
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX: Final = 16
#: In the place of a quote that begins or ends a string: no fact reaches over it.
_BORDER: Final = "?"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a piece says, and where it is written."""

    text: str
    #: Where the tokens of JSON begin: in what is read, and in what is written. Empty: both are the same.
    read_starts: tuple[int, ...] = ()
    spelled_starts: tuple[int, ...] = ()
    #: Places of the quotes around strings, in what is written.
    quotes: tuple[int, ...] = ()

    def spelled(self, place: int) -> int:
        """The place in what is written."""
        if not self.read_starts:
            return place
        at = bisect_right(self.read_starts, place) - 1
        return self.spelled_starts[at] + place - self.read_starts[at]

    def whole(self, spelled: int) -> int:
        """The same place in what is written, or the start of the escape that it would part."""
        at = bisect_right(self.spelled_starts, spelled) - 1
        if at < 0 or at + 1 == len(self.spelled_starts):
            return spelled
        read = self.read_starts[at + 1] - self.read_starts[at]
        is_escape = read < self.spelled_starts[at + 1] - self.spelled_starts[at]
        return self.spelled_starts[at] if is_escape else spelled

    def quotes_before(self, spelled: int) -> int:
        """How many strings have begun or ended before a place in what is written."""
        return bisect_left(self.quotes, spelled)


def read_piece(text: str, form: TextForm) -> Reading:
    """What a piece of a text of this form says; a piece of JSON begins with no half of an escape."""
    if form != "json" or not text:
        return Reading(text)
    said, read_starts, spelled_starts, quotes, read = [], [], [], [], 0
    for token in _TOKEN.finditer(text):
        read_starts.append(read)
        spelled_starts.append(token.start())
        said.append(_said(token.group()))
        read += len(said[-1])
        if token.group() == '"':
            quotes.append(token.start())
    ends = ((*read_starts, read), (*spelled_starts, len(text)))
    return Reading("".join(said), *ends, tuple(quotes))


def _said(written: str) -> str:
    if written == '"':
        return _BORDER
    if len(written) == 1 or not written.startswith("\\"):
        return written
    return chr(int(written[2:], _HEX)) if len(written) > len(r"\n") else _ESCAPES.get(written[1], written[1])
