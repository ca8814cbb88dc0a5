"""One language as its file describes it, and what is found among the words of a text by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

#: The words of a phrase, in lower case; of a language that writes without spaces its characters.
Phrase = tuple[str, ...]

#: Phrases by their first word.
PhraseIndex = Mapping[str, tuple[Phrase, ...]]

#: Characters that are read one by one: kana, Han, Hangul.
JOINED: Final = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f"
TOKEN: Final = re.compile(rf"[{JOINED}]|[^\W_{JOINED}]+")
#: Letters that a word has beside a negating beginning or ending, at the least.
_SHORTEST_BASE: Final = 4


@dataclass(frozen=True, slots=True)
class HarmlessPhrase:
    """What may be left out."""

    words: Phrase
    #: A mark must separate it from the rest ("danke," in the file).
    apart: bool
    #: A question word must follow it ("dime ?").
    asks: bool


#: Harmless phrases by their first or last word.
HarmlessIndex = Mapping[str, tuple[HarmlessPhrase, ...]]


@dataclass(frozen=True, slots=True)
class Language:
    """One language, as its file says it."""

    code: str
    name: str
    script: str
    #: Letters that it uses beside a to z.
    letters: frozenset[str]
    #: Capitals whose lower case is another one than elsewhere.
    capitals: Mapping[int, str]
    #: Words that only it has, and words that others have, too.
    tells: frozenset[str]
    shared: frozenset[str]
    #: Words that tell a language that is like it.
    others: frozenset[str]
    negations: PhraseIndex
    #: Negating beginnings ("un-") and endings ("-los"); between two hyphens: anywhere in a word.
    affixes: tuple[str, ...]
    #: Both orders of each pair; "ein-" stands for every word that begins so.
    opposites: frozenset[tuple[str, str]]
    #: Those of them that are beginnings of words.
    prefixes: tuple[tuple[str, str], ...]
    #: What is asked for, and what may, must or can be.
    questions: PhraseIndex
    #: Words that are other words in lower case, in lower case.
    cased: frozenset[str]
    #: Number words to digits.
    numbers: Mapping[str, str]
    #: Beside them a word may be talked about: nothing is harmless.
    mentions: PhraseIndex
    #: By their first word, `closings` by their last one; the longest first.
    openings: HarmlessIndex
    closings: HarmlessIndex
    anywhere: HarmlessIndex
    #: Phrases that mean the same at the start or the end of a question, each with the first of its group.
    starts: Mapping[Phrase, Phrase]
    endings: Mapping[Phrase, Phrase]

    @property
    def is_joined(self) -> bool:
        """Written without spaces between words, or with endings that a word takes."""
        return self.script in {"han", "kana", "hangul"}

    def lower(self, text: str) -> str:
        """The text in the lower case of this language."""
        return text.translate(self.capitals).lower() if self.capitals else text.lower()


def phrase(text: str) -> Phrase:
    """The words of a phrase as texts are split into words."""
    return tuple(TOKEN.findall(text.lower()))


def index_phrases(phrases: Iterable[Phrase]) -> PhraseIndex:
    """The phrases by their first word."""
    index: dict[str, tuple[Phrase, ...]] = {}
    for each in phrases:
        index[each[0]] = (*index.get(each[0], ()), each)
    return index


def find_phrases(words: Phrase, wanted: PhraseIndex) -> list[str]:
    """Which of the wanted phrases stand among the words, once for each place."""
    return [
        " ".join(each)
        for at, word in enumerate(words)
        for each in wanted.get(word, ())
        if words[at : at + len(each)] == each
    ]


def count_negations(language: Language, words: Phrase) -> list[str]:
    """The negations among the words: words, endings and beginnings that negate."""
    found = find_phrases(words, language.negations)
    return found + [word for word in words if any(has_affix(word, affix) for affix in language.affixes)]


def has_affix(word: str, affix: str) -> bool:
    """True when the word begins ("un-"), ends ("-los") or is built ("-ma-") with the affix."""
    bare = affix.strip("-")
    if len(word) < len(bare) + _SHORTEST_BASE:
        return False
    if affix.startswith("-") and affix.endswith("-"):
        return bare in word[1:-1]
    return word.endswith(bare) if affix.startswith("-") else word.startswith(bare)
