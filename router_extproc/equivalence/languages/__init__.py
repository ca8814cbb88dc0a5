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
from router_extproc.equivalence.languages.file import LanguageFileError, read_language
from router_extproc.equivalence.languages.language import Language
from router_extproc.equivalence.languages.tell import Teller
from router_extproc.equivalence.words import Question, read_question
from router_extproc.equivalence.writing import plain_marks
from router_extproc.equivalence.written import is_same_text, same_writing

#: Of a question whose language is not known, or mixed.
OTHER: Final = "other"

__all__ = [
    "ENGLISH",
    "ENGLISH_ONLY",
    "OTHER",
    "Language",
    "LanguageFileError",
    "Languages",
    "Matching",
    "Told",
    "known_codes",
    "read_known",
]


@dataclass(frozen=True, slots=True)
class Matching:
    """How two questions compare where the rules of English do not decide."""

    #: They are the same question.
    is_same: bool
    #: Why not, a short word; "": they are.
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The language that a text was read as."""

    #: OTHER: none of the known ones, mixed, or too little to tell.
    code: str
    #: Other words may share an answer; otherwise only the same words do.
    is_matched: bool


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

    def read(self, text: str) -> Told:
        """The text's language, and whether other words may share an answer in it."""
        question = read_question(text)
        code = question.once(self._teller.tell)
        if code is not None:
            return Told(code, code in self.matched)
        # A row of words that tells nothing may turn out English beside another question.
        return Told(OTHER, ENGLISH in self.matched and not self._teller.is_foreign(question))

    def compares(self, text: str) -> bool:
        """True when questions in the text's language are compared by its file, not by what encodes them."""
        told = self.read(text)
        return told.code in self.known and told.is_matched

    def compare(self, cached: Question, asked: Question) -> Matching | None:
        """How they compare; None: both are English, so its guards and the verifier decide."""
        one, other = cached.once(self._teller.tell), asked.once(self._teller.tell)
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
            not (cached.once(self._teller.is_foreign) or asked.once(self._teller.is_foreign))
            and cached.words != asked.words
            and same_language(cached, asked) is None
        )


#: Every other language is matched exactly.
ENGLISH_ONLY: Final = Languages.of(())


def read_known() -> tuple[Language, ...]:
    """The languages whose files come with the package, by code.

    Raises:
        LanguageFileError: a file is broken.
    """
    folder = files(__package__) / "data"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".txt"))
    return tuple(read_language((folder / name).read_text(encoding="utf-8"), where=name) for name in names)


def known_codes() -> tuple[str, ...]:
    """English, and the codes of the files that come with the package."""
    names = (entry.name for entry in (files(__package__) / "data").iterdir())
    return (ENGLISH, *sorted(name.removesuffix(".txt") for name in names if name.endswith(".txt")))


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
    """A capital makes another word of it ("Sie" and "sie"), or both texts use capitals and differ in one."""
    whole = any(text.islower() or text.isupper() for text in (cached.text, asked.text))
    for one, other in zip(cached.tokens, asked.tokens, strict=False):
        differ = one.written != other.written and not (one.opens or other.opens)
        if differ and (not whole or (one.text in language.cased and one.written[:1] != other.written[:1])):
            return "case"
    return None


def _commas_agree(cached: str, asked: str) -> bool:
    one, other = comma_places(plain_marks(cached)), comma_places(plain_marks(asked))
    return not (one and other) or one == other
