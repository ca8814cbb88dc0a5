"""Masks secrets in a text that comes in pieces, cut anywhere: what was not in the request becomes ***.

A secret may still grow, and words behind it may say what it is, so the end of the text is held back: a few
words of it, and of a run without spaces all of it, up to a bound.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from router_extproc.redaction.search import Search
from router_extproc.redaction.tally import AnswerTally
from router_extproc.signals.pii.context import BEFORE_CHARS_MAX
from router_extproc.signals.pii.patterns import Span

MASK: Final = "***"
#: No secret with spaces in it is longer, with the words behind it that may say what it is.
SPACED_CHARS_MAX: Final = 96
#: A run without spaces is held back this far: longer than any key but a long token of three parts.
RUN_CHARS_MAX: Final = 2048
#: A private key is held back until its last line.
KEY_CHARS_MAX: Final = 16_384
_KEY_BEGINS: Final = "-----BEGIN"
_KEY_ENDS: Final = "PRIVATE KEY-----"


class Masker:
    """Fits dialects.base.TextFilter."""

    def __init__(self, search: Search, known: Collection[str], tally: AnswerTally) -> None:
        """`known`: secrets of the request itself, which are nobody else's."""
        self._search: Final = search
        self._known: Final = known
        self._tally: Final = tally
        #: The end of what has passed, unmasked: patterns look back.
        self._before = ""
        self._held = ""

    def feed(self, piece: str) -> str:
        """See TextFilter."""
        self._held += piece
        return self._release(self._border())

    def finish(self) -> str:
        """See TextFilter."""
        return self._release(len(self._held))

    @property
    def holds(self) -> bool:
        """See TextFilter."""
        return bool(self._held)

    def _border(self) -> int:
        """How much of what is held is certain, but for a find that crosses it."""
        held = self._held
        border = len(held) - SPACED_CHARS_MAX
        if border <= 0:
            return 0
        run = border
        least = max(0, len(held) - RUN_CHARS_MAX)
        while run > least and not held[run - 1].isspace():
            run -= 1
        border = border if run == least and least else run
        key = held.rfind(_KEY_BEGINS)
        if 0 <= key < border and len(held) - key < KEY_CHARS_MAX and not self._key_has_ended(key):
            return key
        return border

    def _key_has_ended(self, key: int) -> bool:
        """Its last line is there; the first one ends in the same words."""
        first = self._held.find(_KEY_ENDS, key)
        return first >= 0 and self._held.find(_KEY_ENDS, first + 1) >= 0

    def _release(self, border: int) -> str:
        """What is held up to the border, masked; a find that crosses it stays."""
        if border <= 0:
            return ""
        spans = self._spans()
        for span in spans:
            if span.start < border < span.end:
                border = span.start
        masked = self._masked([span for span in spans if span.end <= border], border)
        self._before = (self._before + self._held[:border])[-BEFORE_CHARS_MAX:]
        self._held = self._held[border:]
        return masked

    def _spans(self) -> list[Span]:
        """What is found, in places of what is held."""
        before = len(self._before)
        found = self._search.now(self._before + self._held)
        return [Span(s.start - before, s.end - before, s.type) for s in found if s.end > before]

    def _masked(self, spans: list[Span], border: int) -> str:
        pieces, copied = [], 0
        for span in spans:
            if self._held[max(0, span.start) : span.end] in self._known:
                continue
            pieces += [self._held[copied : max(0, span.start)], MASK]
            copied = span.end
            self._tally.masked[span.type] += 1
        return "".join((*pieces, self._held[copied:border]))
