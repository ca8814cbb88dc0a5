"""Cuts a text into passages of a sentence or a line, and into windows of the encoder's size.

An instruction that is hidden in a document is one sentence among many: the encoder sees it when it reads the
sentence by itself, and not when it reads the whole page. So documents are read in passages, and prompts in
windows that overlap. Cutting takes time in proportion to the text, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

#: Shorter passages are joined with the next: a word by itself says nothing.
PASSAGE_CHARS_MIN: Final = 24
#: Longer ones are cut; about 70 tokens.
PASSAGE_CHARS_MAX: Final = 280
#: Characters that two pieces of one long passage share, so that nothing hides on a cut.
PASSAGE_OVERLAP_CHARS: Final = 60
#: Characters of a window: about 200 tokens of English, where the encoder reads 256.
WINDOW_CHARS: Final = 800
WINDOW_OVERLAP_CHARS: Final = 160
#: How far before the end of a piece a blank is looked for, to cut there.
CUT_CHARS: Final = 80
#: Where passages end. A line break after 45 characters is no border when the next line goes on in lower case
#: (behind the marks of a comment): there an editor wrapped a sentence.
_BORDER: Final = re.compile(
    r"""
      (?<![^\n]{45})[\r\n\u2028\u2029]+ | [\r\n]{2,} | [\r\n\u2028\u2029](?![ \t#*/>]*[a-z(])
    | (?:\\r)?\\n                                          # a line break inside a JSON string
    | (?<=[.!?…。])\s | (?<=[.!?…。]["')\]])\s
    | <!-- | --> | </?[A-Za-z][^<>\n]{0,200}>
    | "\s{0,20}[,:}\]]\s{0,20}"? | [\[{]\s{0,20}"          # between the strings of JSON
    """,
    re.VERBOSE,
)
_GAP: Final = re.compile(r"[\s|]{2,}")
_LETTER: Final = re.compile(r"[^\W\d_]")

#: Where a piece begins and ends, in characters.
Place: TypeAlias = tuple[int, int]


def passages_of(text: str) -> Iterator[str]:
    """The passages that have letters, in order, with gaps closed."""
    for start, end in passage_places(text):
        yield tidy(text[start:end])


def passage_places(text: str) -> Iterator[Place]:
    """Where they are, in order."""
    joined: Place | None = None
    for place in _between_borders(text):
        if joined is None:
            joined = place
        elif joined[1] - joined[0] < PASSAGE_CHARS_MIN:
            joined = (joined[0], place[1])
        else:
            yield from cut(text, joined, PASSAGE_CHARS_MAX, PASSAGE_OVERLAP_CHARS)
            joined = place
    if joined is not None:
        yield from cut(text, joined, PASSAGE_CHARS_MAX, PASSAGE_OVERLAP_CHARS)


def windows_of(text: str) -> Iterator[str]:
    """The text in windows that overlap, in order."""
    for start, end in cut(text, (0, len(text)), WINDOW_CHARS, WINDOW_OVERLAP_CHARS):
        yield text[start:end]


def cut(text: str, place: Place, chars_max: int, overlap_chars: int) -> Iterator[Place]:
    """The place in pieces of at most `chars_max` that overlap, cut at blanks where there are some."""
    start, end = place
    while end - start > chars_max:
        blank = text.rfind(" ", start + chars_max - CUT_CHARS, start + chars_max)
        stop = blank if blank > 0 else start + chars_max
        yield start, stop
        again = text.find(" ", stop - overlap_chars, stop)
        start = again + 1 if again > 0 else stop - overlap_chars
    yield start, end


def tidy(passage: str) -> str:
    """The passage with runs of blanks and of the rules of a table made one."""
    return _GAP.sub(lambda gap: " | " if "|" in gap.group() else " ", passage).strip()


def _between_borders(text: str) -> Iterator[Place]:
    start = 0
    for border in _BORDER.finditer(text):
        if border.start() > start and _LETTER.search(text, start, border.start()):
            yield start, border.start()
        start = max(start, border.end())
    if start < len(text) and _LETTER.search(text, start):
        yield start, len(text)
