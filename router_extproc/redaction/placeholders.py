"""Placeholders: what they look like, which one stands for what, and where a text holds some.

A placeholder is the kind and a number in brackets: [EMAIL_ADDRESS_1]. Models copy it as a word; where one
changes its case, escapes its underscores for Markdown or writes spaces instead, it is still understood.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from router_extproc.errors import RequestTooLarge

#: Different values that one request may have replaced.
PLACEHOLDERS_MAX: Final = 10_000
#: Digits of a number: more than PLACEHOLDERS_MAX needs, for a client may have written some numbers itself.
_DIGITS_MAX: Final = 7
#: No form of a placeholder is longer; a text that ends in the beginning of one is held back this far.
PLACEHOLDER_CHARS_MAX: Final = 64
#: Sets of kinds whose patterns are kept.
_PATTERNS_MAX: Final = 64
#: What may stand where the placeholder has an underscore: one of these, escaped or not.
_GAP: Final = r"\\{0,2}[_ -]"
_NO_LETTER: Final = re.compile(r"[\\_ -]")


class Placeholder(NamedTuple):
    """One placeholder: its kind and its number among those of the kind."""

    kind: str
    number: int

    def __str__(self) -> str:
        """As it is written to the pool."""
        return f"[{self.kind}_{self.number}]"


@dataclass(frozen=True, slots=True)
class PlaceholderForm:
    """How placeholders of some kinds may be written."""

    pattern: re.Pattern[str]
    #: Kinds without their underscores, to the kind.
    _squeezed: Mapping[str, str]

    @classmethod
    def of(cls, kinds: Collection[str]) -> PlaceholderForm:
        """The form of these kinds, in capitals."""
        return _form(tuple(sorted(kinds)))

    def find(self, text: str) -> Iterator[tuple[re.Match[str], Placeholder]]:
        """The placeholders in a text, in order."""
        if not self._squeezed or "[" not in text:
            return
        for found in self.pattern.finditer(text):
            kind = self._squeezed[_squeeze(found["kind"])]
            yield found, Placeholder(kind, int(found["number"]))

    def may_begin(self, text: str) -> bool:
        """Whether the text, which starts with a bracket, may become a placeholder with more behind it."""
        if len(text) >= PLACEHOLDER_CHARS_MAX or "]" in text:
            return False
        letters = _squeeze(text[1:])
        name = letters.rstrip("0123456789")
        if len(name) < len(letters):
            return name in self._squeezed and len(letters) - len(name) <= _DIGITS_MAX
        return any(kind.startswith(name) for kind in self._squeezed)


@lru_cache(maxsize=_PATTERNS_MAX)
def _form(kinds: tuple[str, ...]) -> PlaceholderForm:
    spelled = "|".join(_GAP.join(map(re.escape, kind.split("_"))) for kind in kinds)
    number = rf"(?P<number>[0-9]{{1,{_DIGITS_MAX}}})"
    pattern = re.compile(rf"\[ ?(?P<kind>{spelled}){_GAP}{number} ?\]", re.ASCII | re.IGNORECASE)
    return PlaceholderForm(pattern, {_squeeze(kind): kind for kind in kinds})


def _squeeze(text: str) -> str:
    return _NO_LETTER.sub("", text).upper()


@dataclass(slots=True)
class Placeholders:
    """Which placeholder stands for which value in one request; the same value always has the same one.

    Numbers follow the order in which values are asked for. Those in `taken` were written by the client
    itself: they stand for nothing, and none is given to a value.
    """

    form: PlaceholderForm
    taken: Collection[Placeholder] = frozenset()
    _given: dict[tuple[str, str], Placeholder] = field(default_factory=dict, repr=False)
    _values: dict[Placeholder, str] = field(default_factory=dict, repr=False)
    _last: dict[str, int] = field(default_factory=dict)

    def of(self, kind: str, value: str) -> Placeholder:
        """The placeholder of a value.

        Raises:
            RequestTooLarge: there are too many different values.
        """
        given = self._given.get((kind, value))
        return self._give(kind, value) if given is None else given

    def value(self, placeholder: Placeholder) -> str | None:
        """What it stands for; None: nothing."""
        return self._values.get(placeholder)

    def __len__(self) -> int:
        """How many values there are."""
        return len(self._values)

    def _give(self, kind: str, value: str) -> Placeholder:
        if len(self._given) >= PLACEHOLDERS_MAX:
            raise RequestTooLarge("The request holds more personal facts than this gateway replaces.")
        placeholder = Placeholder(kind, self._last.get(kind, 0) + 1)
        while placeholder in self.taken:
            placeholder = Placeholder(kind, placeholder.number + 1)
        self._last[kind] = placeholder.number
        self._given[kind, value] = placeholder
        self._values[placeholder] = value
        return placeholder
