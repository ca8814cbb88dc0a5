"""A text that is JSON itself, as the arguments of a tool call: what is searched, and where a find stands.

Strings are searched as they are read, not as they are spelled. Where a find is part of a string, it is
replaced inside it; a number becomes a string. So the text stays valid JSON.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import orjson

from router_extproc.dialects.json_strings import spelled_places, text_of

_PIECE: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^"]++', re.DOTALL)
_NUMBER: Final = re.compile(r"-?[0-9][0-9.eE+-]*")


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a text that is to be replaced."""

    start: int
    end: int
    #: What it says.
    value: str
    #: The replacement needs quotes around it.
    bare: bool = False


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text that is searched as it is."""

    text: str

    def places(self, start: int, end: int) -> Iterator[Place]:
        """Where to replace what was found at `searched[start:end]`."""
        yield Place(start, end, self.text[start:end])

    @property
    def searched(self) -> str:
        """What is searched."""
        return self.text


@dataclass(frozen=True, slots=True)
class _Piece:
    """A string with its quotes, or what stands between two strings."""

    #: In what is searched.
    start: int
    read: str
    #: In the text.
    spelled_start: int
    spelled: str

    def places(self, start: int, end: int) -> Iterator[Place]:
        """What of it is to be replaced when searched[start:end] was found."""
        start, end = start - self.start, end - self.start
        if not self.spelled.startswith('"'):
            for number in _NUMBER.finditer(self.spelled):
                if number.start() < end and start < number.end():
                    first = self.spelled_start + number.start()
                    yield Place(first, first + len(number.group()), number.group(), bare=True)
            return
        start, end = max(start, 1), min(end, len(self.read) - 1)
        if start < end:
            inside = spelled_places(self.spelled[1:-1], [start - 1, end - 1])
            first, last = (self.spelled_start + 1 + place for place in inside)
            yield Place(first, last, self.read[start:end])


class JsonText:
    """A text that is valid JSON."""

    def __init__(self, text: str) -> None:
        self.text: Final = text
        self._pieces: Final = tuple(_pieces(text))
        self._starts: Final = [piece.start for piece in self._pieces]
        #: What is searched.
        self.searched: Final = "".join(piece.read for piece in self._pieces)

    def places(self, start: int, end: int) -> Iterator[Place]:
        """See PlainText; a find that reaches over the end of a string is replaced part by part."""
        first = bisect_right(self._starts, start) - 1
        for piece in self._pieces[first : bisect_left(self._starts, end)]:
            yield from piece.places(start, end)


def readable(text: str, *, is_json: bool) -> PlainText | JsonText:
    """The text as it is searched; what should be JSON and is none is searched as it is."""
    if is_json and text.lstrip().startswith(("{", "[", '"')):
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError:
            return PlainText(text)
        return JsonText(text)
    return PlainText(text)


def _pieces(text: str) -> Iterator[_Piece]:
    start = 0
    for found in _PIECE.finditer(text):
        spelled = found.group()
        read = f'"{text_of(spelled[1:-1])}"' if spelled.startswith('"') else spelled
        yield _Piece(start, read, found.start(), spelled)
        start += len(read)
