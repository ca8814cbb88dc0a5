"""Hears when a human says that the last answer was wrong: "that's wrong", "no, it still fails".

Judged by the first clause of a short message alone, against phrases of `data/spoken_feedback.toml`. What
opens with a quote is about something else, and so is a question ("is that wrong?", "what is wrong with it?").
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

#: Longer messages bring a matter of their own.
CHARS_MAX: Final = 400
#: Clauses before the one that says it, which are nothing but "no", "sorry" and the like.
LEADS_MAX: Final = 3
_FOLD: Final = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'"})
_CLAUSE: Final = re.compile(
    r"([^,.;:!?\u2026\u3002\uff0c\u3001\uff01\uff1f\uff1b\uff1a\n\u2013\u2014(]*)(\.{2,}|.?)", re.DOTALL
)
_QUESTIONS: Final = ("?", "\uff1f")
_COMMAS: Final = (",", "\uff0c", "\u3001")
_QUOTES: Final = tuple("\"'`>|\u201c\u201e\u201d\u2018\u2019\u00ab\u00bb\u2039\u300c\u300e*_#")
_WORD: Final = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class _Clause:
    """A part of a message, without case, accents and marks."""

    #: Single spaces are between its words.
    spaced: str
    spaceless: str

    @classmethod
    def of(cls, text: str) -> _Clause:
        return cls(_normal(text, spaceless=False), _normal(text, spaceless=True))


@dataclass(frozen=True, slots=True)
class _Spaced:
    """The phrases of one language with spaces between words."""

    lead: frozenset[str]
    whole: frozenset[str]
    opening: frozenset[str]
    tail: frozenset[str]
    because: frozenset[str]
    #: The first words of leads and phrases: most messages begin with none.
    first: frozenset[str]
    words_max: int

    @classmethod
    def of(cls, table: Mapping[str, Sequence[str]]) -> _Spaced:
        lead, whole, opening, tail, because = (
            frozenset(_normal(each, spaceless=False) for each in table.get(name, ()))
            for name in ("lead", "whole", "opening", "tail", "because")
        )
        begin = lead | whole | opening
        first = frozenset(phrase.split(" ")[0] for phrase in begin)
        words_max = max(phrase.count(" ") + 1 for phrase in begin)
        return cls(lead, whole, opening, tail, because, first, words_max)

    def hear(self, clauses: Sequence[_Clause]) -> bool:
        """Whether the first clause that is more than a lead says it."""
        for clause in clauses:
            words = clause.spaced.split(" ")
            if words[0] not in self.first:
                return False
            if clause.spaced not in self.lead:
                starts = [0, *self._after_leads(words)]
                return any(self._says(words[start:]) for start in starts)
        return False

    def _after_leads(self, words: Sequence[str]) -> Iterator[int]:
        counts = range(1, min(LEADS_MAX, len(words) - 1) + 1)
        return (count for count in counts if " ".join(words[:count]) in self.lead)

    def _says(self, words: Sequence[str]) -> bool:
        """Whether a phrase stands at the beginning, and what follows may follow it."""
        for count in range(1, min(self.words_max, len(words)) + 1):
            phrase, rest = " ".join(words[:count]), words[count:]
            if phrase in self.opening or (phrase in self.whole and self._may_follow(rest)):
                return True
        return False

    def _may_follow(self, rest: Sequence[str]) -> bool:
        return not rest or " ".join(rest) in self.tail or rest[0] in self.because


@dataclass(frozen=True, slots=True)
class _Spaceless:
    """Those of one without."""

    lead: frozenset[str]
    whole: frozenset[str]
    opening: tuple[str, ...]

    @classmethod
    def of(cls, table: Mapping[str, Sequence[str]]) -> _Spaceless:
        lead, whole, opening = (
            [_normal(each, spaceless=True) for each in table.get(name, ())]
            for name in ("lead", "whole", "opening")
        )
        return cls(frozenset(lead), frozenset(whole), tuple(opening))

    def hear(self, clauses: Sequence[_Clause]) -> bool:
        """See _Spaced."""
        told = next((each.spaceless for each in clauses if each.spaceless not in self.lead), "")
        rests = [told, *(told[len(lead) :] for lead in self.lead if told.startswith(lead))]
        return any(rest in self.whole or rest.startswith(self.opening) for rest in rests)


@dataclass(frozen=True, slots=True)
class SpokenFeedback:
    """The phrases of all languages, all of which are tried: so short a message seldom tells its own."""

    _languages: tuple[_Spaced | _Spaceless, ...] = field(repr=False)

    def says_wrong(self, text: str) -> bool:
        """Whether a human's message begins by saying that the last answer was wrong."""
        told = text.strip()
        if not 0 < len(told) <= CHARS_MAX or told.startswith(_QUOTES):
            return False
        clauses, is_question = _clauses(told.translate(_FOLD))
        return not is_question and any(each.hear(clauses) for each in self._languages)


def _clauses(text: str) -> tuple[list[_Clause], bool]:
    """The first clauses of a message, and whether what they say is asked."""
    clauses: list[_Clause] = []
    for match in _CLAUSE.finditer(text):
        clause, mark = _Clause.of(match[1]), match[2]
        if mark in _QUESTIONS:
            return clauses, True
        clauses += [clause] if clause.spaceless else []
        # "No. It still fails.": what is said first may be a sentence of its own.
        goes_on = mark in _COMMAS or clause.spaced.count(" ") < LEADS_MAX
        if not mark or not goes_on or len(clauses) > LEADS_MAX:
            break
    return clauses, False


def _normal(text: str, *, spaceless: bool) -> str:
    """Without case, accents and marks."""
    if spaceless:
        return "".join(_WORD.findall(text.casefold()))
    plain = unicodedata.normalize("NFD", text.casefold().translate(_FOLD))
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(_WORD.findall(bare))


@cache
def shipped_spoken_feedback() -> SpokenFeedback:
    """That of the package's own file."""
    text = (files(__package__) / "data" / "spoken_feedback.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text).values()
    return SpokenFeedback(
        tuple(_Spaceless.of(each) if each.get("spaceless") else _Spaced.of(each) for each in tables)
    )
