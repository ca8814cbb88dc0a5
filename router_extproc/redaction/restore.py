"""Puts values back for placeholders in a text that comes in pieces, cut anywhere.

Only what may still become a placeholder is held back: a bracket and a few letters. The same text gives the
same result, however it is cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import orjson

from router_extproc.redaction.placeholders import Placeholders
from router_extproc.redaction.tally import AnswerTally


def as_is(value: str) -> str:
    """A value in a plain text."""
    return value


def inside_json(value: str) -> str:
    """A value inside a string of JSON."""
    return orjson.dumps(value).decode()[1:-1]


class Restorer:
    """Fits dialects.base.TextFilter."""

    def __init__(
        self, placeholders: Placeholders, tally: AnswerTally, spell: Callable[[str], str] = as_is
    ) -> None:
        """`spell`: how a value is written in this text."""
        self._placeholders: Final = placeholders
        self._tally: Final = tally
        self._spell: Final = spell
        self._held = ""

    def feed(self, piece: str) -> str:
        """See TextFilter."""
        if not self._held and "[" not in piece:
            return piece
        text = self._held + piece
        text, self._held = self._part(text)
        return self._restored(text)

    def finish(self) -> str:
        """See TextFilter."""
        text, self._held = self._held, ""
        return text

    @property
    def holds(self) -> bool:
        """See TextFilter."""
        return bool(self._held)

    def _part(self, text: str) -> tuple[str, str]:
        """What is certain, and what is held back."""
        bracket = text.rfind("[")
        if bracket >= 0 and self._placeholders.form.may_begin(text[bracket:]):
            return text[:bracket], text[bracket:]
        return text, ""

    def _restored(self, text: str) -> str:
        pieces, copied = [], 0
        for found, placeholder in self._placeholders.form.find(text):
            value = self._placeholders.value(placeholder)
            if value is not None:
                pieces += [text[copied : found.start()], self._spell(value)]
                copied = found.end()
                self._tally.restored[placeholder.kind] += 1
            elif placeholder not in self._placeholders.taken:
                self._tally.invented[placeholder.kind] += 1
        return "".join((*pieces, text[copied:])) if pieces else text
