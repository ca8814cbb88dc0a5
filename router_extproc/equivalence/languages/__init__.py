"""The known languages: which one a question is in, and whether two questions in it are the same one.

Encoder, verifier and the other guards know English. In every other known language two questions share an
answer only where its file proves their difference harmless; in all others only the same words do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Final, Literal, Self

from router_extproc.equivalence.language import ENGLISH, same_language
from router_extproc.equivalence.languages.canonical import canonical, comma_places
from router_extproc.equivalence.languages.differ import find_difference
from router_extproc.equivalence.languages.file import Language, LanguageFileError, read_language
from router_extproc.equivalence.languages.tell import Teller
from router_extproc.equivalence.words import Question, read_question
from router_extproc.equivalence.writing import plain_marks
from router_extproc.equivalence.written import is_same_text, same_writing

#: Of a question whose language is not known, or mixed.
OTHER: Final = "other"

__all__ = ["ENGLISH", "OTHER", "Language", "LanguageFileError", "Languages", "Matching", "read_known"]


@dataclass(frozen=True, slots=True)
class Matching:
    """How two questions compare where the rules of English do not decide."""

    #: They are the same question.
    is_same: bool
    #: Why not, a short word; "": they are.
    reason: str = ""


_SAME: Final = Matching(is_same=True)


@dataclass(frozen=True)
class Languages:
    """Those that are matched semantically; frozen, read once."""

    known: Mapping[str, Language] = field(repr=False)
    #: Codes, English among them; the rest of the known ones is told and matched exactly.
    matched: frozenset[str]

    @classmethod
    def of(cls, known: Iterable[Language], matched: Iterable[str] | None = None) -> Self:
        """The known languages, of which those with a code in `matched` are in use; None: all."""
        by_code = {language.code: language for language in known}
        return cls(by_code, frozenset({ENGLISH, *by_code} if matched is None else matched))

    @cached_property
    def _teller(self) -> Teller:
        return Teller(tuple(self.known.values()))

    def tell(self, text: str) -> str:
        """The code of the text's language; OTHER: none of the known ones, mixed, or too little to tell."""
        return self._teller.tell(read_question(text)) or OTHER

    def is_matched(self, text: str) -> bool:
        """True when other words may share an answer in the text's language, as far as one text tells."""
        code = self.tell(text)
        return code in self.matched or (code == OTHER and self._may_be_english(text))

    def compare(self, cached: Question, asked: Question) -> Matching | None:
        """How they compare; None: both are English, so its guards and the verifier decide."""
        one, other = self._teller.tell(cached), self._teller.tell(asked)
        language = self.known.get(one) if one is not None and one == other else None
        if language is not None and language.code in self.matched:
            return _compare(cached, asked, language)
        if self._is_english(cached, asked, {one, other}):
            return None
        if is_same_text(cached, asked) and _commas_agree(cached.text, asked.text):
            return _SAME
        return Matching(is_same=False, reason="language")

    def _is_english(self, cached: Question, asked: Question, told: set[str | None]) -> bool:
        if ENGLISH not in self.matched or not told <= {ENGLISH, None}:
            return False
        # None may be a row of English keywords, or a mixture: the words in which they differ tell.
        return told == {ENGLISH} or (
            not (self._teller.is_foreign(cached) or self._teller.is_foreign(asked))
            and cached.words != asked.words
            and same_language(cached, asked) is None
        )

    def _may_be_english(self, text: str) -> bool:
        return ENGLISH in self.matched and not self._teller.is_foreign(read_question(text))


def read_known() -> tuple[Language, ...]:
    """The languages whose files come with the package, by code.

    Raises:
        LanguageFileError: a file is broken.
    """
    folder = files(__package__) / "data"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".txt"))
    return tuple(read_language((folder / name).read_text(encoding="utf-8"), where=name) for name in names)


# ── two questions in one language ─────────────────────────────────────────────────────────────


def _compare(cached: Question, asked: Question, language: Language) -> Matching:
    one, other = canonical(cached.text, language), canonical(asked.text, language)
    if one.folded != other.folded:
        return Matching(is_same=False, reason=find_difference(one.words, other.words, language))
    if one.commas and other.commas and one.commas != other.commas:
        return Matching(is_same=False, reason="words")
    if _without_capital(one.text) == _without_capital(other.text):
        return _SAME
    first, second = read_question(one.text), read_question(other.text)
    writing = same_writing(first, second) or _cased_differ(first, second, language)
    return _SAME if writing is None else Matching(is_same=False, reason=writing)


def _without_capital(text: str) -> str:
    """The text without the capital that begins it and the mark that ends it."""
    return text[:1].lower() + text[1:].rstrip("?!. ")


def _cased_differ(cached: Question, asked: Question, language: Language) -> Literal["case"] | None:
    """A capital makes another word of it: "Sie" and "sie"."""
    for one, other in zip(cached.tokens, asked.tokens, strict=False):
        if (
            one.text in language.cased
            and one.written[:1] != other.written[:1]
            and not (one.opens or other.opens)
        ):
            return "case"
    return None


def _commas_agree(cached: str, asked: str) -> bool:
    one, other = comma_places(plain_marks(cached)), comma_places(plain_marks(asked))
    return not (one and other) or one == other
