"""A question without what its language file calls harmless: politeness, fillers, forms of the same question.

Two questions share an answer when the same is left of both: what is not proven harmless counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.equivalence.languages.language import (
    TOKEN,
    HarmlessPhrase,
    Language,
    Phrase,
    find_phrases,
)
from router_extproc.equivalence.writing import plain_marks

#: Marks that end a sentence or a part of it.
_MARKS: Final = ",.?!;"
_BREAK: Final = re.compile(r"[,.?!;\n]|\s-\s")
#: What may stand inside a phrase.
_WITHIN: Final = re.compile(r"[\s,'\-]*")
#: In these, words are talked about: quotes, code, and what stands behind a colon.
_MENTIONED: Final = re.compile(r"[\"`]|:(?:\s|$)|(?<!\w)'|'(?!\w)")
_BETWEEN_JOINED: Final = re.compile(r"(?<=[\u3040-\u30ff\u3400-\u9fff])\s+(?=[\u3040-\u30ff\u3400-\u9fff])")
_FULL_WIDTH: Final = {ord(mark): chr(ord(mark) - 0xFEE0) for mark in map(chr, range(0xFF10, 0xFF5B))}
#: Words that are left of a question at the least.
_REST_MIN: Final = 2
_REST_JOINED_MIN: Final = 4
#: In longer texts nothing is left out: they are compared as they stand.
WORDS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Canonical:
    """What counts of a question."""

    #: As written, with plain marks.
    text: str
    #: In lower case, without marks at the ends of words.
    folded: str
    words: Phrase
    #: Letters before each comma inside.
    commas: tuple[int, ...]


def canonical(text: str, language: Language) -> Canonical:
    """What counts of the text, in time proportional to it."""
    plain = plain_marks(text)
    if language.is_joined:
        plain = _BETWEEN_JOINED.sub("", plain)
    return _Reader(plain.translate(_FULL_WIDTH).strip(), language).read()


class _Reader:
    """Takes away from both ends, then from between."""

    def __init__(self, text: str, language: Language) -> None:
        self._text: Final = text
        self._language: Final = language
        spans = [match.span() for match in TOKEN.finditer(text)]
        self._starts: Final = [start for start, _ in spans]
        self._ends: Final = [end for _, end in spans]
        self._words: Final = tuple([language.lower(text[start:end]) for start, end in spans])
        self._low = 0
        self._high = len(spans)

    def read(self) -> Canonical:
        """The question without what is harmless."""
        if len(self._words) > WORDS_MAX:
            return self._made(self._text, self._words)
        while self._take_opening():
            pass
        if self._mentions():
            self._low = 0
            return self._made(self._text, self._words)
        while self._take_closing():
            pass
        start, ending = self._replaced_start(), self._replaced_ending()
        pieces = [*start, *self._middle(), *ending]
        return self._made("".join(pieces).strip(), self._words[self._low : self._high])

    def _mentions(self) -> bool:
        if _MENTIONED.search(self._text):
            return True
        return bool(find_phrases(self._words[self._low :], self._language.mentions))

    # ── both ends ─────────────────────────────────────────────────────────────────────────────

    def _take_opening(self) -> bool:
        for each in self._language.openings.get(self._word(self._low), ()):
            end = self._low + len(each.words)
            if self._is_at(self._low, each.words) and self._is_enough(end, self._high):
                if not self._may_follow(end, each):
                    continue
                self._low = end
                return True
        return False

    def _may_follow(self, place: int, each: HarmlessPhrase) -> bool:
        """What comes next is a question of its own, not the rest of a title ("Bonjour Tristesse")."""
        questions = self._language.questions.get(self._words[place], ())
        if each.asks and not any(self._words[place : place + len(words)] == words for words in questions):
            return False
        if self._breaks_before(place):
            return True
        return not each.apart and not self._text[self._starts[place]].isupper()

    def _take_closing(self) -> bool:
        for each in self._language.closings.get(self._word(self._high - 1), ()):
            start = self._high - len(each.words)
            if self._is_at(start, each.words) and self._is_enough(self._low, start):
                if self._must_stand_apart(each) and not self._breaks_before(start):
                    continue
                self._high = start
                return True
        return False

    def _must_stand_apart(self, each: HarmlessPhrase) -> bool:
        return each.apart or not (
            self._language.is_joined or each in self._language.anywhere.get(each.words[0], ())
        )

    def _word(self, place: int) -> str:
        return self._words[place] if 0 <= place < len(self._words) else ""

    def _is_enough(self, low: int, high: int) -> bool:
        return high - low >= (_REST_JOINED_MIN if self._language.is_joined else _REST_MIN)

    def _is_at(self, at: int, words: Phrase) -> bool:
        if at < self._low or self._words[at : at + len(words)] != words or at + len(words) > self._high:
            return False
        return all(
            _WITHIN.fullmatch(self._between(place)) is not None for place in range(at + 1, at + len(words))
        )

    def _between(self, place: int) -> str:
        """The text between a word and the one before it."""
        return self._text[self._ends[place - 1] : self._starts[place]]

    def _breaks_before(self, place: int) -> bool:
        return 0 < place < len(self._words) and _BREAK.search(self._between(place)) is not None

    # ── groups ────────────────────────────────────────────────────────────────────────────────

    def _replaced_start(self) -> list[str]:
        words = self._longest(self._language.starts, at_end=False)
        self._low += len(words)
        return [self._joined(self._language.starts[words]), " "] if words else []

    def _replaced_ending(self) -> list[str]:
        words = self._longest(self._language.endings, at_end=True)
        self._high -= len(words)
        return [" ", self._joined(self._language.endings[words])] if words else []

    def _longest(self, groups: Mapping[Phrase, Phrase], *, at_end: bool) -> Phrase:
        """The longest phrase of the groups that stands there; none: no word."""
        for length in sorted({len(words) for words in groups}, reverse=True):
            at = self._high - length if at_end else self._low
            words = self._words[max(0, at) : at + length]
            if words in groups and self._is_at(at, words) and self._high - self._low > length:
                return words
        return ()

    def _joined(self, words: Phrase) -> str:
        return ("" if self._language.is_joined else " ").join(words)

    # ── between ───────────────────────────────────────────────────────────────────────────────

    def _middle(self) -> Iterator[str]:
        place, is_behind, digits = self._low, False, self._digits()
        while place < self._high:
            dropped = self._dropped_at(place)
            if dropped:
                yield self._symbols(place) if is_behind else ""
                place, is_behind = place + dropped, False
                continue
            yield self._between(place) if is_behind else f" {self._symbols(place)}"
            yield digits.get(self._words[place]) or self._text[self._starts[place] : self._ends[place]]
            place, is_behind = place + 1, True
        yield self._symbols(self._high)

    def _digits(self) -> Mapping[str, str]:
        """Digits for number words, where the text has one number: beside another it may be a part of it."""
        numbers = self._language.numbers
        found = sum(word in numbers or word[0].isdecimal() for word in self._words)
        return numbers if found == 1 else {}

    def _dropped_at(self, place: int) -> int:
        """How many words may be left out here."""
        for each in self._language.anywhere.get(self._words[place], ()):
            # A capital between small letters is a name or, in German, a noun.
            if self._is_at(place, each.words) and not self._text[self._starts[place]].isupper():
                return len(each.words)
        return 0

    def _symbols(self, place: int) -> str:
        """What stands before a word and is no punctuation: it belongs to what is left."""
        start = 0 if place == 0 else self._ends[place - 1]
        end = self._starts[place] if place < len(self._words) else len(self._text)
        return self._text[start:end].strip(f"{_MARKS} -" if place == self._high else f"{_MARKS} ")

    def _made(self, text: str, words: Sequence[str]) -> Canonical:
        chunks = [chunk.strip(_MARKS) for chunk in self._language.lower(text).split()]
        folded = " ".join(chunk for chunk in chunks if chunk)
        text = text.translate(self._language.capitals) if self._language.capitals else text
        return Canonical(text, folded, tuple(words), comma_places(text))


def comma_places(text: str) -> tuple[int, ...]:
    """How many letters and digits stand before each comma that separates parts of a sentence."""
    if "," not in text:
        return ()
    places: list[int] = []
    letters = 0
    inner = text.rstrip(f"{_MARKS} ")
    for at, letter in enumerate(inner):
        letters += letter.isalnum()
        if letter == "," and inner[at + 1 : at + 2].isspace():
            places.append(letters)
    return tuple(places)
