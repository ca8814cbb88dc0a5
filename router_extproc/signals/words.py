"""Finds words and phrases in a text however they are written, and misspelt ones on request.

A keyword matches whole words only ("cat" is not in "category"), in any case; a line break inside a phrase
counts as a space. Scripts without spaces between words (Chinese, Japanese, Thai) match anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final, TypeAlias

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

#: Longer words are not composed: the time that takes grows with the square of a run of marks.
WORD_CHARS_MAX = 64
#: Scripts without spaces between words, as a part of a character class: Thai, Lao, Myanmar, Khmer,
#: kana and Chinese characters.
SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\U00020000-\U000323af"
#: One character that makes one word with its neighbours.
JOINING = rf"[^\W{SPACELESS}]"
#: Stands between two parts of a request: no phrase goes across.
BORDER: Final = "\n\0\n"
#: Shorter words must be written right: too many others are one letter away.
FUZZY_CHARS_MIN: Final = 4
#: At most one letter in this many may be wrong.
CHARS_PER_EDIT: Final = 3

#: How many letters of a word of this length may be wrong.
Tolerance: TypeAlias = Callable[[int], int]

_WORD: Final = re.compile(r"\w+")
_JOINED: Final = re.compile(f"({JOINING}+)")
#: Put at both ends of every run of characters that make one word, in keywords and in texts: a keyword with
#: its borders is then found as a plain string, and nothing has to be compiled for it. No folded text has it.
_EDGE: Final = "\n"


def exact(_chars: int) -> int:
    """No letter may be wrong."""
    return 0


def tolerance_of(fuzzy: int | float) -> Tolerance:  # noqa: PYI041 - the two mean different things
    """1 or 2: so many edits; a fraction: so much of the word must be right."""
    if isinstance(fuzzy, int):
        return lambda chars: min(fuzzy, chars // CHARS_PER_EDIT) if chars >= FUZZY_CHARS_MIN else 0
    # Rounded: 0.8 of ten letters leaves two, whatever the last bit of the fraction is.
    return lambda chars: int(round((1 - fuzzy) * chars, 6)) if chars >= FUZZY_CHARS_MIN else 0


# ── texts ─────────────────────────────────────────────────────────────────────────────────────


class FoldedText:
    """A text in the one form that keywords are looked for in."""

    def __init__(self, text: str, misspelt: Misspelt | None = None) -> None:
        """`misspelt`: the keywords that may be found misspelt."""
        self.text: Final = text
        self._misspelt: Final = misspelt

    def phrases(self, words: int) -> Sequence[str]:
        """Every run of so many words, each once."""
        if words == 1:
            # The same word again is not taken apart again.
            return tuple(dict.fromkeys(_WORD.findall(" ".join(dict.fromkeys(self.text.split(" "))))))
        runs = chain.from_iterable(_runs(part, words) for part in self.text.split("\0"))
        return tuple(map(" ".join, dict.fromkeys(runs)))

    @cached_property
    def _runs(self) -> Sequence[str]:
        """The text in pieces: words at the odd places, what is between them at the even ones."""
        return _JOINED.split(self.text)

    @property
    def words(self) -> Sequence[str]:
        """Every run of characters that make one word, in order."""
        return self._runs[1::2]

    @cached_property
    def joined(self) -> frozenset[str]:
        """The same, each once."""
        return frozenset(self.words)

    @cached_property
    def with_edges(self) -> str:
        """The text with its words' ends, see `_EDGE`."""
        return _EDGE.join(self._runs)

    @cached_property
    def near(self) -> Mapping[str, float]:
        """How well each misspelt keyword is written, counted out when the first one is asked for."""
        return {} if self._misspelt is None else self._misspelt.scores_in(self)


def _runs(text: str, length: int) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(text)
    return zip(*(words[at:] for at in range(length)), strict=False)


def fold(text: str, *, case_sensitive: bool) -> str:
    """One form for all ways to write the same words: composed, spaced by single spaces, case folded."""
    cased = text if case_sensitive else text.casefold()
    return " ".join(cased.split() if cased.isascii() else map(compose, cased.split()))


def compose(word: str) -> str:
    """The word in normal form C; one that is too long to be a word stays as it is."""
    return unicodedata.normalize("NFC", word) if len(word) <= WORD_CHARS_MAX else word


# ── keywords ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word or phrase to be looked for."""

    #: As it was configured.
    word: str
    #: Folded, with its words' ends, see `_EDGE`.
    with_edges: str
    #: Its words as `FoldedText.phrases` has them; "": it is never found misspelt.
    plain: str
    #: Letters that may be wrong.
    edits_max: int
    #: A word of it, which a text has that has the keyword; "": there is none to look for first.
    first_word: str = ""
    #: It is that word, and nothing else.
    is_word: bool = False

    @classmethod
    def of(cls, word: str, *, case_sensitive: bool, tolerance: Tolerance = exact) -> Keyword | None:
        """None: there is nothing in it to look for."""
        form = fold(word, case_sensitive=case_sensitive)
        if not form:
            return None
        plain = "" if re.search(f"[{SPACELESS}]", form) else " ".join(_WORD.findall(form))
        folded = FoldedText(form)
        longest = max(folded.words, key=len, default="")
        edits_max = tolerance(len(plain)) if plain else 0
        return cls(word, folded.with_edges, plain, edits_max, longest, is_word=longest == form)

    def score_in(self, text: FoldedText) -> float:
        """1: it is there; less: the share of it that is written right; 0: it is not there."""
        if self._is_in(text):
            return 1.0
        return text.near.get(self.plain, 0.0) if self.edits_max else 0.0

    def _is_in(self, text: FoldedText) -> bool:
        return self.first_word in text.joined if self.is_word else self.with_edges in text.with_edges


def is_searched(word: str) -> bool:
    """Whether every text must be searched for the keyword, for it has no word to look up first."""
    return _JOINED.search(word) is None


class Keywords:
    """Keywords that are looked for together: those whose words a text has not cost nothing."""

    def __init__(self, keywords: Iterable[Keyword]) -> None:
        self._all: Final = tuple(keywords)
        self._by_word: Final[dict[str, list[int]]] = {}
        #: Looked for in every text: they have no word, or may be misspelt.
        self._always: Final[list[int]] = []
        for place, keyword in enumerate(self._all):
            if keyword.first_word and not keyword.edits_max:
                self._by_word.setdefault(keyword.first_word, []).append(place)
            else:
                self._always.append(place)

    def __iter__(self) -> Iterator[Keyword]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def scores_in(self, text: FoldedText) -> dict[str, float]:
        """The score of each that is there, in the order in which they are configured."""
        scores = {keyword.word: keyword.score_in(text) for keyword in self.looked_for_in(text)}
        return {word: score for word, score in scores.items() if score}

    def looked_for_in(self, text: FoldedText) -> Sequence[Keyword]:
        """Those that may be there, in the order in which they are configured."""
        words = self._by_word.keys() & text.joined if self._by_word else ()
        places = sorted(chain(self._always, *(self._by_word[word] for word in words)))
        return [self._all[place] for place in places]


class Misspelt:
    """Keywords that may be misspelt: all of them are compared with a text in one call."""

    def __init__(self, keywords: Iterable[Keyword]) -> None:
        #: Edits that are allowed, by keyword, by how many words it has.
        self._edits: Final[dict[int, dict[str, int]]] = {}
        for keyword in keywords:
            if keyword.edits_max:
                words = keyword.plain.count(" ") + 1
                self._edits.setdefault(words, {})[keyword.plain] = keyword.edits_max

    def scores_in(self, text: FoldedText) -> Mapping[str, float]:
        """The share that is written right, of each keyword that is near enough to something in the text."""
        found: dict[str, float] = {}
        for words, edits in self._edits.items():
            phrases = text.phrases(words)
            if phrases:
                found.update(_nearest(edits, phrases))
        return found


def _nearest(edits: Mapping[str, int], phrases: Sequence[str]) -> Iterator[tuple[str, float]]:
    most = max(edits.values())
    # int32[keyword, phrase]; whatever is above the cutoff is cutoff + 1.
    distances = process.cdist([*edits], phrases, scorer=OSA.distance, score_cutoff=most, dtype=np.int32)
    nearest = distances.argmin(axis=1).tolist()
    for row, (keyword, at) in enumerate(zip(edits, nearest, strict=True)):
        wrong = int(distances[row, at])
        if wrong <= edits[keyword]:
            yield keyword, 1.0 - wrong / max(len(keyword), len(phrases[at]))
