"""Tells whether an ask stands alone or leans on earlier turns: "why?", "and the next step?", "in French".

Judged by words alone, which costs microseconds and needs no inference; words and phrases are in
`data/follow_ups.toml`, one table a language. All languages are tried on every ask: so short a text seldom
tells its own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final, Literal, TypeAlias

#: "alone": it has a topic of its own. "leaning": a part of it is in earlier turns. "empty": it has no topic
#: at all ("why?"), so that nothing can lean on it either.
Leaning: TypeAlias = Literal["alone", "leaning", "empty"]

#: Longer asks stand alone.
CHARS_MAX: Final = 240
#: Words of an ask with such an opening, with a word for something earlier, and with a short opening.
OPENING_WORDS_MAX: Final = 14
WORDS_MAX: Final = 12
BRIEF_WORDS_MAX: Final = 4
QUESTION_WORDS_MAX: Final = 2
#: Words of a question for something that is not named further.
DEFINITE_WORDS_MAX: Final = 6
#: In scripts without spaces so many characters count as a word.
_CHARS_A_WORD: Final = 3
#: An ask that brings so many words along, behind a colon or in quotes, is about them.
_OWN_WORDS_MIN: Final = 2
_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_OWN: Final = re.compile(r"```|[\"\u201c\u00ab\u300c].{8,}?[\"\u201d\u00bb\u300d]", re.DOTALL)
_MARKS: Final = ".?!,;"
_SPACELESS: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_FOLD: Final = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'"})

Words: TypeAlias = tuple[str, ...]
#: Phrases by their first word.
_Index: TypeAlias = Mapping[str, tuple[Words, ...]]


@dataclass(frozen=True, slots=True)
class _Spaced:
    """The phrases of all languages with spaces between words."""

    whole: frozenset[Words]
    courtesy: _Index
    openings: _Index
    brief: _Index
    questions: _Index
    words: _Index
    ends: frozenset[Words]
    stands: _Index
    definite: _Index
    pronouns: frozenset[str]
    objects: frozenset[str]
    carriers: frozenset[str]
    nouns: frozenset[str]
    places: frozenset[str]
    unique: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Unspaced:
    """The phrases of all languages without."""

    whole: frozenset[str]
    courtesy: tuple[str, ...]
    openings: tuple[str, ...]
    words: tuple[str, ...]
    ends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FollowUps:
    """What follow-up questions look like; read once."""

    spaced: _Spaced = field(repr=False)
    unspaced: _Unspaced = field(repr=False)

    def judge(self, text: str) -> Leaning:
        """Whether an ask stands alone."""
        if len(text) > CHARS_MAX:
            return "alone"
        if _SPACELESS.search(text):
            return self._judge_unspaced(text)
        words = _words(text)
        if not words or words in self.spaced.whole:
            return "empty"
        asked = _without_courtesy(words, self.spaced.courtesy)
        if not asked:
            return "alone"
        if asked in self.spaced.whole:
            return "empty"
        leans = self._leans(asked) or self._is_definite(asked, text)
        return "leaning" if leans and not _brings_its_own(text) else "alone"

    def gist(self, text: str) -> str:
        """The text without thanks and the like at either end; of scripts without spaces, all of it."""
        places = list(_WORD.finditer(text.casefold().translate(_FOLD)))
        words = tuple(place.group() for place in places)
        asked = _without_courtesy(words, self.spaced.courtesy)
        # Case folding may make a text longer: then places in it are not places in the text.
        if not asked or asked == words or len(text.casefold()) != len(text):
            return text
        first = next(place for place in range(len(words)) if words[place : place + len(asked)] == asked)
        end = places[first + len(asked) - 1].end()
        marks = len(text) - end - len(text[end:].lstrip(_MARKS))
        return text[places[first].start() : end + marks]

    def _leans(self, words: Words) -> bool:
        spaced, count = self.spaced, len(words)
        if any(_at(words, place, spaced.stands) for place in range(count)):
            return False
        if count <= OPENING_WORDS_MAX and _at(words, 0, spaced.openings):
            return True
        if count <= BRIEF_WORDS_MAX and _at(words, 0, spaced.brief):
            return True
        if count <= QUESTION_WORDS_MAX and _at(words, 0, spaced.questions):
            return True
        return count <= WORDS_MAX and self._refers(words)

    def _refers(self, words: Words) -> bool:
        """Whether something in it stands for what was said earlier, or it names nothing at all."""
        spaced = self.spaced
        if any(_at(words, place, spaced.words) for place in range(len(words))):
            return True
        if any(words[-length:] in spaced.ends for length in (1, 2, 3)):
            return True
        for place, word in enumerate(words):
            if word in spaced.pronouns:
                return words[place + 1 : place + 2] == () or words[place + 1] not in spaced.nouns
            if word not in spaced.carriers:
                return self._has_object(words, place) or self._has_object(words, place - 1)
        return True

    def _has_object(self, words: Words, verb: int) -> bool:
        """Whether a verb has an object that was named earlier: "draw that as a table"."""
        spaced, after = self.spaced, words[verb + 1 : verb + 3]
        if not after or after[0] not in spaced.objects:
            return False
        return len(after) == 1 or after[1] in spaced.places

    def _is_definite(self, words: Words, text: str) -> bool:
        """Whether it asks for something as if it was known which: "what are the risks?"."""
        spaced = self.spaced
        if len(words) > DEFINITE_WORDS_MAX or not _at(words, 0, spaced.definite):
            return False
        named = any(char.isdigit() for char in text) or text[1:] != text[1:].lower()
        return not named and spaced.unique.isdisjoint(words) and spaced.places.isdisjoint(words)

    def _judge_unspaced(self, text: str) -> Leaning:
        unspaced = self.unspaced
        asked = _characters(text)
        if not asked or asked in unspaced.whole:
            return "empty"
        asked = _without_courtesies(asked, unspaced.courtesy)
        if not asked:
            return "alone"
        if asked in unspaced.whole:
            return "empty"
        count = len(asked) / _CHARS_A_WORD
        if _brings_its_own(text) or count > OPENING_WORDS_MAX:
            return "alone"
        leans = asked.startswith(unspaced.openings) or asked.endswith(unspaced.ends)
        return "leaning" if leans or any(word in asked for word in unspaced.words) else "alone"


@cache
def shipped_follow_ups() -> FollowUps:
    """Those of the package's own file, in all its languages."""
    text = (files(__package__) / "data" / "follow_ups.toml").read_text(encoding="utf-8")
    tables = tuple(tomllib.loads(text).values())
    spaced = [table for table in tables if not table.get("spaceless")]
    unspaced = [table for table in tables if table.get("spaceless")]
    return FollowUps(_spaced(spaced), _unspaced(unspaced))


def _spaced(tables: Sequence[Mapping[str, Sequence[str]]]) -> _Spaced:
    def phrases(name: str) -> Iterator[Words]:
        return (_words(phrase) for table in tables for phrase in table.get(name, ()))

    def singles(name: str) -> frozenset[str]:
        return frozenset(word for phrase in phrases(name) for word in phrase)

    return _Spaced(
        frozenset(phrases("whole")),
        _index(phrases("courtesy")),
        _index(phrases("openings")),
        _index(phrases("brief")),
        _index(phrases("questions")),
        _index(phrases("words")),
        frozenset(phrases("ends")),
        _index(phrases("stands")),
        _index(phrases("definite")),
        singles("pronouns"),
        singles("objects"),
        singles("carriers"),
        singles("nouns"),
        singles("places"),
        singles("unique"),
    )


def _unspaced(tables: Sequence[Mapping[str, Sequence[str]]]) -> _Unspaced:
    def phrases(name: str) -> tuple[str, ...]:
        return tuple(_characters(phrase) for table in tables for phrase in table.get(name, ()))

    longest_first = tuple(sorted(phrases("courtesy"), key=len, reverse=True))
    return _Unspaced(
        frozenset(phrases("whole")), longest_first, phrases("openings"), phrases("words"), phrases("ends")
    )


def _index(phrases: Iterable[Words]) -> _Index:
    index: dict[str, tuple[Words, ...]] = {}
    for words in sorted(phrases, key=len, reverse=True):
        index[words[0]] = (*index.get(words[0], ()), words)
    return index


def _words(text: str) -> Words:
    return tuple(_WORD.findall(text.casefold().translate(_FOLD)))


def _characters(text: str) -> str:
    return "".join(_WORD.findall(text.casefold()))


def _at(words: Words, place: int, index: _Index) -> int:
    """How many words the longest phrase has that stands here; 0: none does."""
    for phrase in index.get(words[place], ()):
        if words[place : place + len(phrase)] == phrase:
            return len(phrase)
    return 0


def _without_courtesy(words: Words, courtesy: _Index) -> Words:
    """The words without thanks and the like at either end."""
    while words and (length := _at(words, 0, courtesy)):
        words = words[length:]
    while words and (length := _courtesy_at_end(words, courtesy)):
        words = words[:-length]
    return words


def _courtesy_at_end(words: Words, courtesy: _Index) -> int:
    for length in range(min(4, len(words)), 0, -1):
        place = len(words) - length
        if _at(words, place, courtesy) == length:
            return length
    return 0


def _without_courtesies(asked: str, courtesy: Sequence[str]) -> str:
    found = True
    while found and asked:
        found = False
        for phrase in courtesy:
            if asked.startswith(phrase) and asked != phrase:
                asked, found = asked[len(phrase) :], True
                break
    return "" if asked in courtesy else asked


def _brings_its_own(text: str) -> bool:
    """Whether it quotes what it asks about: behind a colon, in quotes, as code."""
    before, colon, after = text.replace("\uff1a", ":").partition(":")
    told = bool(colon) and min(len(_words(before)), len(_words(after))) >= _OWN_WORDS_MIN
    return told or "\n" in text.strip() or _OWN.search(text) is not None
