"""Masks secrets in a text that comes in pieces, cut anywhere: what was not in the request becomes ***.

A secret may still grow, and words behind it may say what it is, so the end of the text is held back: a few
words of it, and of a run without spaces all of it, up to a bound. JSON stays JSON.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.dialects.base import TextForm
from router_extproc.redaction.search import Search
from router_extproc.redaction.spelling import Reading, read_piece
from router_extproc.redaction.tally import AnswerTally
from router_extproc.signals.pii.context import BEFORE_CHARS_MAX

MASK: Final = "***"
#: No secret with spaces in it is longer, with the words behind it that may say what it is.
SPACED_CHARS_MAX: Final = 96
#: A run without spaces is held back this far: longer than any key but a long token of three parts.
RUN_CHARS_MAX: Final = 2048
#: A private key is held back until its last line.
KEY_CHARS_MAX: Final = 16_384
_KEY_BEGINS: Final = "-----BEGIN"
_KEY_ENDS: Final = "PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class _Find:
    """A secret, in places of what is held."""

    start: int
    end: int
    kind: str
    #: What it says.
    value: str


class Masker:
    """Fits dialects.base.TextFilter."""

    def __init__(
        self, search: Search, known: Collection[str], tally: AnswerTally, form: TextForm = "text"
    ) -> None:
        """`known`: secrets of the request itself, which are nobody else's."""
        self._search: Final = search
        self._known: Final = known
        self._tally: Final = tally
        self._form: Final = form
        #: What has passed ends inside a string of JSON.
        self._inside = False
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
        held = read_piece(self._held, self._form)
        finds = self._finds(held)
        border = held.whole(border)
        for find in finds:
            if find.start < border < find.end:
                border = find.start
        masked = self._masked([find for find in finds if find.end <= border], border, held)
        self._inside ^= held.quotes_before(border) % 2 == 1
        self._before = (self._before + self._held[:border])[-BEFORE_CHARS_MAX:]
        self._held = self._held[border:]
        return masked

    def _finds(self, held: Reading) -> list[_Find]:
        """What is found in it; a find may have begun before it."""
        before = read_piece(self._before, self._form).text
        shift = len(before)
        spans = self._search.now(before + held.text)
        finds = []
        for start, end, kind in ((max(0, s.start - shift), s.end - shift, s.type) for s in spans):
            if end > 0:
                finds.append(_Find(held.spelled(start), held.spelled(end), kind, held.text[start:end]))
        return finds

    def _masked(self, finds: Sequence[_Find], border: int, held: Reading) -> str:
        pieces, copied = [], 0
        for find in finds:
            if find.value in self._known:
                continue
            pieces += [self._held[copied : find.start], self._mask_at(find.start, held)]
            copied = find.end
            self._tally.masked[find.kind] += 1
        return "".join((*pieces, self._held[copied:border]))

    def _mask_at(self, place: int, held: Reading) -> str:
        """In JSON, a number becomes a string."""
        if self._form != "json":
            return MASK
        is_inside = self._inside ^ (held.quotes_before(place) % 2 == 1)
        return MASK if is_inside else f'"{MASK}"'
