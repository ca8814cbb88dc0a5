"""Separates what a human wrote in a user message from what the client wrapped around it.

A block counts where it starts a line or follows another block, and has an end. What a human quotes stays: in
a code fence, behind a colon, without an end, inside a sentence, or named in the text around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from router_extproc.conversation.harness import (
    FENCE_CHARS,
    FENCES,
    KEY_CHARS,
    LINE,
    MESSAGE,
    AskTag,
    Harness,
    Passage,
    Pattern,
    Tag,
)
from router_extproc.llm.ask import LeftOut

#: Lines of one request that are compared with patterns; what comes after them counts as written by a human.
LINES_MAX: Final = 4_000
#: A start tag with its attributes, and a line that must hold a certain text, are no longer.
TAG_CHARS_MAX: Final = 2_000
#: Characters before a block among which a colon is looked for.
_COLON_CHARS: Final = 80
_COLONS: Final = (":", "\uff1a")
#: A name of so many characters, or of several words, is hardly one that a human uses by chance.
_NAME_CHARS_MIN: Final = 8
_FILE: Final = "file"
_WRAPPING: Final = "wrapping"
_BLANK: Final = " \t\r\n"
_BLANKS: Final = re.compile(r"[ \t\r\n]*").match


@dataclass(slots=True)
class LinesLeft:
    """How many lines of a request may still be compared."""

    count: int = LINES_MAX


@dataclass(frozen=True, slots=True)
class Stripped:
    """A user message without what its client put there."""

    #: Unchanged where nothing was found.
    text: str
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cut:
    """A stretch of the message that no human wrote."""

    start: int
    end: int
    #: None: a tag around a question.
    kind: str | None
    #: Of a tag.
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Element:
    """<NAME ...> ... </NAME>: where its content begins and ends, and where it ends."""

    inner: int
    close: int
    end: int


def strip(text: str, harness: Harness, lines: LinesLeft | None = None) -> Stripped:
    """What a human wrote in a message, and what was left out of it."""
    first = _past_blank(text, 0)
    if text[first : first + KEY_CHARS] not in harness.by_key and not harness.line_start.search(text):
        return Stripped(text)
    scan = _Scan(text, harness, lines or LinesLeft())
    scan.run(first)
    if not scan.cuts:
        return Stripped(text)
    if scan.alone:
        return _alone(text, scan.alone)
    cuts = _not_named(text, scan.cuts)
    kept = (text[start:end].strip(_BLANK) for start, end in _between(cuts, len(text)))
    left_out = (LeftOut(cut.kind, cut.end - cut.start) for cut in cuts if cut.kind is not None)
    return Stripped("\n".join(filter(None, kept)), tuple(left_out))


def _alone(text: str, asks: Sequence[tuple[int, int]]) -> Stripped:
    """Of a message in which a client marks the question: the question."""
    asked = "\n".join(text[start:end].strip(_BLANK) for start, end in asks)
    rest = len(text) - len(asked)
    return Stripped(asked, (LeftOut(_WRAPPING, rest),))


def _between(cuts: Sequence[_Cut], end: int) -> Iterator[tuple[int, int]]:
    at = 0
    for cut in cuts:
        yield at, cut.start
        at = cut.end
    yield at, end


def _not_named(text: str, cuts: Sequence[_Cut]) -> list[_Cut]:
    """The cuts without the blocks that the human's own words are about."""
    human = "\n".join(text[start:end] for start, end in _between(cuts, len(text)))
    named = {name for name in {cut.name for cut in cuts if cut.name and cut.kind} if _names(human, name)}
    return [cut for cut in cuts if cut.name not in named]


def _names(human: str, name: str) -> bool:
    unlikely = len(name) >= _NAME_CHARS_MIN and not name.isalpha()
    return f"<{name}" in human or f"`{name}" in human or (unlikely and name in human)


def _past_blank(text: str, at: int) -> int:
    match = _BLANKS(text, at)
    return at if match is None else match.end()


@dataclass(slots=True)
class _Scan:
    """One walk over a message, from block to block."""

    text: str
    harness: Harness
    lines: LinesLeft
    cuts: list[_Cut] = field(default_factory=list)
    #: The questions that a client marks as the only ones.
    alone: list[tuple[int, int]] = field(default_factory=list)
    #: Of each text that was looked for: from where on, and where it is.
    _found: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: Where a passage to the end of the message began, and its kind.
    _rest: tuple[int, str] | None = None

    def run(self, first: int) -> None:
        """Find every cut; `first` is where the text begins."""
        at: int | None = first
        while at is not None and self.lines.count > 0:
            self.lines.count -= 1
            end = self._read(at)
            at = self._next(at if end is None else end, follows_block=end is not None)
        if self._rest is not None:
            self._end_rest(len(self.text))

    def _next(self, at: int, *, follows_block: bool) -> int | None:
        """The next place at which a block may start."""
        if follows_block:
            place = _past_blank(self.text, at)
            if self.text[place : place + KEY_CHARS] in self.harness.by_key:
                return place
        match = self.harness.line_start.search(self.text, at)
        return None if match is None else match.end()

    def _read(self, at: int) -> int | None:
        """Where the block that starts here ends; None: there is none."""
        fence = self.text[at : at + FENCE_CHARS]
        if fence in FENCES:
            return None if self._rest is not None else self._fence(at, fence)
        for pattern in self.harness.by_key.get(self.text[at : at + KEY_CHARS], ()):
            if self.text.startswith(pattern.start, at):
                end = self._block(pattern, at)
                if end is not None:
                    return end
        return None

    def _block(self, pattern: Pattern, at: int) -> int | None:
        match pattern:
            case Passage():
                return self._passage(pattern, at) if self._is_beside(pattern.beside) else None
            case Tag():
                return self._tag(pattern, at) if self._is_beside(pattern.beside) else None
            case AskTag():
                return self._ask(pattern, at)

    def _is_beside(self, text: str) -> bool:
        return not text or self._find(text, 0) >= 0

    def _tag(self, tag: Tag, at: int) -> int | None:
        element = self._element(tag.name, at)
        if element is None:
            return None
        if self._rest is None and not self._is_quoted(at):
            self.cuts.append(_Cut(at, element.end, tag.kind, tag.name))
        return element.end

    def _ask(self, tag: AskTag, at: int) -> int | None:
        element = self._element(tag.name, at)
        if element is None or self._is_quoted(at):
            return None if element is None else element.end
        if self._rest is not None:
            kind = self._rest[1]
            self._end_rest(at)
            self._rest = (element.end, kind)
        self.cuts += (_Cut(at, element.inner, None), _Cut(element.close, element.end, None))
        if tag.alone:
            self.alone.append((element.inner, element.close))
        return element.end

    def _passage(self, passage: Passage, at: int) -> int | None:
        if passage.line and self.text.find(passage.line, at, self._line_end(at)) < 0:
            return None
        if self._is_quoted(at):
            return None
        if passage.until == MESSAGE:
            if self._rest is None:
                self._rest = (at, passage.kind)
            return self._line_end(at)
        end = self._passage_end(passage, at)
        if end is not None and self._rest is None:
            self.cuts.append(_Cut(at, end, passage.kind))
        return end

    def _passage_end(self, passage: Passage, at: int) -> int | None:
        if passage.until == LINE:
            found = self.text.find("\n", at)
            return len(self.text) if found < 0 else found
        found = self._find(passage.until, at)
        return None if found < 0 else found + len(passage.until)

    def _line_end(self, at: int) -> int:
        limit = at + TAG_CHARS_MAX
        found = self.text.find("\n", at, limit)
        return min(limit, len(self.text)) if found < 0 else found

    def _end_rest(self, at: int) -> None:
        if self._rest is not None:
            start, kind = self._rest
            if start < at:
                self.cuts.append(_Cut(start, at, kind))
            self._rest = None

    def _fence(self, at: int, fence: str) -> int | None:
        """The end of fenced code, which is left out where its first line names a file."""
        close = self._find(f"\n{fence}", at)
        if close < 0:
            return None
        end = self._line_end(close + 1)
        words = self.text[at + len(fence) : self._line_end(at)].split()
        names_file = len(words) > 1 and ("/" in words[1] or "." in words[1])
        if names_file and not self._is_quoted(at):
            self.cuts.append(_Cut(at, end, _FILE))
        return end

    def _element(self, name: str, at: int) -> _Element | None:
        """The element that starts here; None: another name, or it has no end."""
        after = at + 1 + len(name)
        inner = self.text.find(">", after, after + TAG_CHARS_MAX)
        if inner < 0 or self.text[after] not in f"{_BLANK}>":
            return None
        close, tag = self._find(f"</{name}>", inner), len(f"</{name}>")
        return None if close < 0 else _Element(inner + 1, close, close + tag)

    def _find(self, wanted: str, start: int) -> int:
        """As str.find; no stretch is searched twice for the same text, so all of them take linear time."""
        known = self._found.get(wanted)
        if known is not None and known[0] <= start and not 0 <= known[1] < start:
            return known[1]
        found = self.text.find(wanted, start)
        self._found[wanted] = (start, found)
        return found

    def _is_quoted(self, at: int) -> bool:
        """Whether a human's own words before it end with a colon."""
        since = max(self.cuts[-1].end if self.cuts else 0, at - _COLON_CHARS)
        before = self.text[since:at].rstrip(_BLANK)
        return self._rest is None and before.endswith(_COLONS)
