"""The keywords signal: the prompt has one of these words or phrases.

A keyword matches whole words only ("cat" is not in "category"), in any case; a line break inside a phrase
counts as a space. Scripts without spaces between words (Chinese, Japanese, Thai) match anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.models.base import Classifiers
from router_extproc.signals.base import Reading, SignalSettings, Subject

#: Characters read at each end of a longer prompt: this runs on the event loop.
EDGE_CHARS_MAX = 16_384
#: Longer words are not composed: the time that takes grows with the square of a run of marks.
WORD_CHARS_MAX = 64
#: Scripts without spaces between words, as a part of a character class: Thai, Lao, Myanmar, Khmer,
#: kana and Chinese characters.
SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\U00020000-\U000323af"
#: One character that makes one word with its neighbours.
JOINING = rf"[^\W{SPACELESS}]"


class KeywordsSettings(SignalSettings):
    """Matches when the prompt has one of the words (whole words, case folded)."""

    type: Literal["keywords"]
    #: Words or phrases; the first that is found is the label.
    any: tuple[str, ...] = Field(min_length=1)
    #: Whether ASAP and asap are two words.
    case_sensitive: bool = False

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        for index, word in enumerate(self.any):
            if not word.strip():
                yield ConfigError(f"{path}.any[{index}]", "must not be empty")

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return self.any

    def open(self, name: str, classifiers: Classifiers) -> KeywordsSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        return KeywordsSignal(name, self.any, case_sensitive=self.case_sensitive)


class KeywordsSignal:
    """The first keyword, in the order given, that the prompt has. Fits signals.base.Signal."""

    needs_encoding = False
    needs_tasks = False

    def __init__(self, name: str, words: Sequence[str], *, case_sensitive: bool = False) -> None:
        """A keyword of nothing but white space never matches."""
        self.name = name
        self._case_sensitive = case_sensitive
        folded = ((word, fold(word, case_sensitive=case_sensitive)) for word in words)
        self._words = tuple((word, whole_word(form)) for word, form in folded if form)

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal; the label is the keyword as it was configured."""
        text = fold(cut_middle(subject.ask.reading), case_sensitive=self._case_sensitive)
        for word, pattern in self._words:
            if pattern.search(text):
                return Reading(self.name, word, 1.0)
        return Reading(self.name, None, 0.0)


def cut_middle(text: str) -> str:
    """The text, or both ends of one that is too long."""
    if len(text) <= 2 * EDGE_CHARS_MAX:
        return text
    return f"{text[:EDGE_CHARS_MAX]}\n{text[-EDGE_CHARS_MAX:]}"


def fold(text: str, *, case_sensitive: bool) -> str:
    """One form for all ways to write the same words: composed, spaced by single spaces, case folded."""
    cased = text if case_sensitive else text.casefold()
    return " ".join(cased.split() if cased.isascii() else map(compose, cased.split()))


def compose(word: str) -> str:
    """The word in normal form C; one that is too long to be a word stays as it is."""
    return unicodedata.normalize("NFC", word) if len(word) <= WORD_CHARS_MAX else word


def whole_word(form: str) -> re.Pattern[str]:
    """Finds the folded keyword with a border on either side."""
    literal = re.escape(form)
    # The literal comes first and its left border after it: the search is then a plain string search.
    left = f"(?<!{JOINING}{literal})" if re.match(JOINING, form[0]) else ""
    right = f"(?!{JOINING})" if re.match(JOINING, form[-1]) else ""
    return re.compile(literal + left + right)
