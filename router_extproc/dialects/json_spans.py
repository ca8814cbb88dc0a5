"""Where the members and values of a JSON body stand, as offsets into its bytes.

The body must be valid JSON. The bytes are scanned by regular expressions and the standard library's
parser, both in C: Python sees only members of the wanted names, in time linear in the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Final, TypeAlias

from router_extproc.dialects.json_body import JSON_STRING

#: Name, decoded, and where name and value start.
Member: TypeAlias = tuple[str, int, int]
#: Start and end, as in slices.
Span: TypeAlias = tuple[int, int]

#: What a letter of a name begins with, written as an escape.
_ESCAPE: Final = rb"\u00"
_SPACE: Final = b" \t\n\r"
_BEHIND_SPACE: Final = re.compile(rb"[ \t\n\r]*+")
_SCALAR: Final = re.compile(rb"[^{\[,\]}\s]++")
#: Patterns kept: one for each set of names that is edited together.
_PATTERNS_MAX: Final = 64
_DECODER: Final = json.JSONDecoder()


@lru_cache(maxsize=_PATTERNS_MAX)
def _member_pattern(names: tuple[str, ...]) -> re.Pattern[bytes]:
    """Finds members of these names (see `llm.edits`), each letter plain or as a unicode escape.

    Group n is the nth name; one name alone needs none. In valid JSON a quote that follows none of `{`,
    `,` and space is not the start of a name, and one that does cannot be the end of a string with these
    letters behind it: so no match lies inside one.
    """
    spelled = "|".join(f"({_spelled(name)})" for name in names) if len(names) > 1 else _spelled(names[0])
    return re.compile(rf'"(?<=[{{,\s]")(?:{spelled})"\s*+:\s*+'.encode())


def _spelled(name: str) -> str:
    return "".join(rf"(?:{re.escape(letter)}|\\u(?i:{ord(letter):04x}))" for letter in name)


def members_between(body: bytes, start: int, end: int, names: tuple[str, ...]) -> Iterator[Member]:
    """The members of these names of the object that `body[start:end]` is, in order."""
    depth, scanned = 0, start
    matches = _member_pattern(names).finditer(body, start, end) if names else ()
    for member in matches:
        name_start, value_start = member.span()
        before = body[scanned:name_start]
        depth += 1 if before == b"{" else _depth_change(before)
        scanned = name_start
        if depth == 1:
            yield names[(member.lastindex or 0) - 1], name_start, value_start


def _depth_change(tokens: bytes) -> int:
    """Brackets opened less brackets closed; `tokens` starts and ends outside strings."""
    bare = _outside_strings(tokens) if b'"' in tokens else tokens
    return bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")


def _outside_strings(tokens: bytes) -> bytes:
    """What is left without the strings, in a tenth of the time that a pattern takes on a large body."""
    if b"\\" in tokens:
        # Backslashes first: a quote behind an even number of them ends its string.
        tokens = tokens.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(tokens.split(b'"')[::2])


class Spans:
    """The places in one body."""

    def __init__(self, body: bytes) -> None:
        self.body: Final = body
        #: Where the body's object starts.
        self.top: Final = body.index(b"{")

    @cached_property
    def _text(self) -> str:
        """One character a byte, so that offsets are the same; what strings hold does not matter here."""
        return self.body.decode("latin-1")

    def members(self, start: int, names: tuple[str, ...]) -> Iterator[Member]:
        """The members of these names of the object that starts here, in order."""
        end = len(self.body) if start == self.top else self.end(start)
        return members_between(self.body, start, end, names)

    def elements(self, start: int) -> Iterator[Span]:
        """The elements of the list that starts here, in order."""
        at = self._behind_space(start + 1)
        while self.first_byte(at) != b"]":
            end = self.end(at)
            yield at, end
            at = self._behind_space(end)
            if self.first_byte(at) == b",":
                at = self._behind_space(at + 1)

    def end(self, start: int) -> int:
        """Where the value that starts here ends."""
        match = JSON_STRING.match(self.body, start) or _SCALAR.match(self.body, start)
        return _DECODER.raw_decode(self._text, start)[1] if match is None else match.end()

    def first_byte(self, start: int) -> bytes:
        """What the value that starts here begins with; it tells the value's type."""
        return self.body[start : start + 1]

    def comma(self, start: int) -> bytes:
        """What parts a new first member or element from the next one, in the container that starts here."""
        return b"" if self.first_byte(self._behind_space(start + 1)) in {b"}", b"]"} else b","

    def cuts(self, removed: Sequence[Span]) -> Iterator[Span]:
        """What to cut to take these members or elements out of one container: each with one comma."""
        cuts: list[Span] = []
        for start, end in removed:
            behind = self._behind_space(end)
            if self.first_byte(behind) == b",":
                cuts.append((start, behind + 1))
            else:
                cuts.append(self._last_cut(start, end, cuts))
        yield from cuts

    def _last_cut(self, start: int, end: int, cuts: list[Span]) -> Span:
        """The last one takes the comma in front along, and what was cut together with that comma."""
        while cuts and cuts[-1][1] == self._before_space(start):
            start = cuts.pop()[0]
        before = self._before_space(start)
        return (before - 1 if self.body[before - 1 : before] == b"," else start), end

    def _before_space(self, end: int) -> int:
        while self.body[end - 1] in _SPACE:
            end -= 1
        return end

    def _behind_space(self, start: int) -> int:
        match = _BEHIND_SPACE.match(self.body, start)
        return start if match is None else match.end()
