"""Finds personal facts and secrets of fixed form in a whole text, however long, some of it at a time.

The signal `pii` reads the ends of long texts and a bounded number of matches, which is enough to tell that
there is one. Here every one counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterator
from typing import Final, TypeAlias, TypeVar

from router_extproc.signals.pii.context import Nearby
from router_extproc.signals.pii.patterns import KINDS, TYPES, Kind, Span

T = TypeVar("T")
#: Work in steps: yields between them, so that whoever runs it may stop or let others run.
Steps: TypeAlias = Generator[None, None, T]

#: Characters that one pattern reads in one step.
WINDOW_CHARS: Final = 32_768
#: No match is longer, with what a pattern looks at behind it.
MATCH_CHARS_MAX: Final = 10_240
#: A text that is no longer is searched at once: most are.
SHORT_CHARS: Final = 2048
#: Matches of one pattern that are checked in one step: telling phone numbers apart takes its time.
STEP_MATCHES_MAX: Final = 32
#: A private key ends this many characters behind its first line, at the latest.
KEY_CHARS_MAX: Final = 16_384
_KEY_BEGINS: Final = "-----BEGIN"
#: What may stand in the lines of a private key, and its last one; line ends may be written as \n.
_KEY_BODY: Final = re.compile(
    r"(?:[A-Za-z0-9+/=\s:,.-]|\\[nr])*?-----END [A-Z ]{0,24}PRIVATE KEY-----|(?:[A-Za-z0-9+/=\s]|\\[nr])*",
    re.ASCII,
)


class Search:
    """The search for some kinds of facts."""

    def __init__(self, kinds: Collection[str]) -> None:
        """`kinds`: of signals.pii.patterns.TYPES."""
        self._wanted = frozenset(kinds)
        # A surer kind keeps its characters: a card number is no phone number, wanted or not.
        last = max((TYPES.index(kind) for kind in self._wanted), default=-1)
        self._kinds: Final = KINDS[: last + 1]

    def spans(self, text: str) -> Steps[list[Span]]:
        """Every find of the wanted kinds, in order, none over another."""
        found: list[Span] = []
        taken = bytearray(0)
        hints, short = _Hints(text), len(text) <= SHORT_CHARS
        for kind in self._kinds:
            spans = _search_short(text, kind) if short else (yield from _search(text, kind, hints))
            for span in spans:
                taken = taken or bytearray(len(text))
                if not any(taken[span.start : span.end]):
                    taken[span.start : span.end] = b"\x01" * (span.end - span.start)
                    found.append(span)
        return sorted((span for span in found if span.type in self._wanted), key=lambda span: span.start)

    def now(self, text: str) -> list[Span]:
        """The same at once, for short texts."""
        return run_now(self.spans(text))


def run_now(steps: Steps[T]) -> T:
    """All steps, one after another."""
    while True:
        try:
            next(steps)
        except StopIteration as over:
            value: T = over.value
            return value


def _search_short(text: str, kind: Kind) -> list[Span]:
    """What `_search` finds, in half of its time."""
    if not kind.hint.search(text):
        return []
    return [
        Span(match.start(), _end(text, match), kind.type)
        for match in kind.pattern.finditer(text)
        if kind.check(match.group(), Nearby.of(text, *match.span()))
    ]


class _Hints:
    """Which windows of a text have the hint of a kind; several kinds have the same."""

    def __init__(self, text: str) -> None:
        self._text: Final = text
        self._known: dict[tuple[re.Pattern[str], int], bool] = {}

    def has(self, hint: re.Pattern[str], start: int, end: int) -> bool:
        known = self._known.get((hint, start))
        if known is None:
            known = self._known[hint, start] = hint.search(self._text, start, end) is not None
        return known


def _search(text: str, kind: Kind, hints: _Hints) -> Steps[list[Span]]:
    """The matches of one kind that pass its check."""
    found: list[Span] = []
    for count, match in enumerate(_matches(text, kind, hints), start=1):
        if match is None or count % STEP_MATCHES_MAX == 0:
            yield
        if match is not None and kind.check(match.group(), Nearby.of(text, *match.span())):
            found.append(Span(match.start(), _end(text, match), kind.type))
    return found


def _matches(text: str, kind: Kind, hints: _Hints) -> Iterator[re.Match[str] | None]:
    """The matches of one kind; None after each window but the last."""
    at = 0
    while at < len(text):
        border, end = at + WINDOW_CHARS, at + WINDOW_CHARS + MATCH_CHARS_MAX
        matches = kind.pattern.finditer(text, at, end) if hints.has(kind.hint, at, end) else ()
        for match in matches:
            if match.start() >= border:
                break
            at = match.end()
            yield match
        at = max(at, border)
        if at < len(text):
            yield None


def _end(text: str, match: re.Match[str]) -> int:
    """Where the find ends: of a private key the pattern has the first line only."""
    if not match.group().startswith(_KEY_BEGINS):
        return match.end()
    body = _KEY_BODY.match(text, match.end(), match.end() + KEY_CHARS_MAX)
    return match.end() if body is None else body.end()
