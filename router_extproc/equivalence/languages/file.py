"""Language files: one text file a language, which says what identifies it and which wording is harmless.

The format is described in docs/how-to/languages.md. Reading is strict: an unknown section, a word that is
listed as harmless although the same file calls it a negation, or a group whose members ask differently is an
error with its line, so that a slip of a translator cannot let a wrong answer through.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.equivalence.languages.language import (
    TOKEN,
    HarmlessIndex,
    HarmlessPhrase,
    Language,
    Phrase,
    count_negations,
    find_phrases,
    index_phrases,
    phrase,
)

_FIELDS: Final = ("code", "name", "script", "letters", "capitals")
#: Sections of words, separated by white space, and of phrases, one a line.
_WORD_SECTIONS: Final = (
    "tells",
    "shared",
    "others",
    "negations",
    "affixes",
    "opposites",
    "questions",
    "cased",
)
_LINE_SECTIONS: Final = (
    "numbers", "mentions", "idioms", "openings", "closings", "anywhere", "same starts", "same endings",
)  # fmt: skip
_SCRIPTS: Final = ("latin", "cyrillic", "han", "kana", "hangul")


class LanguageFileError(ValueError):
    """A language file cannot be used; says where and why."""

    def __init__(self, where: str, line: int, problem: str) -> None:
        super().__init__(f"{where}, line {line}: {problem}")


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str


def read_language(text: str, *, where: str) -> Language:
    """The language of a file.

    where: the file's name, for errors.

    Raises:
        LanguageFileError: it breaks the format or contradicts itself.
    """
    fields, sections = _split(text, where)
    language = _language(fields, sections, where)
    _Checker(language, sections, where).check()
    return language


# ── parts ─────────────────────────────────────────────────────────────────────────────────────


def _split(text: str, where: str) -> tuple[dict[str, str], dict[str, list[_Line]]]:
    fields: dict[str, str] = {}
    sections: dict[str, list[_Line]] = {}
    current: list[_Line] | None = None
    for number, line in _lines(text):
        if line.startswith("["):
            current = sections[_section(line, sections, where, number)] = []
        elif current is None:
            name, value = _field(line, fields, where, number)
            fields[name] = value
        else:
            if not TOKEN.search(line):
                raise LanguageFileError(where, number, f"'{line}' has no word")
            current.append(_Line(number, line))
    _check_fields(fields, where)
    return fields, sections


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """What is no comment, with its number."""
    for number, raw in enumerate(unicodedata.normalize("NFC", text).splitlines(), 1):
        line = raw.split("#", 1)[0].strip()
        if line:
            yield number, line


def _check_fields(fields: Mapping[str, str], where: str) -> None:
    for name in ("code", "name", "script"):
        if name not in fields:
            raise LanguageFileError(where, 1, f"has no '{name}:'")
    if fields["script"] not in _SCRIPTS:
        raise LanguageFileError(where, 1, f"script must be one of {', '.join(_SCRIPTS)}")


def _section(line: str, sections: Mapping[str, object], where: str, number: int) -> str:
    name = line[1:-1]
    if not line.endswith("]") or name not in (*_WORD_SECTIONS, *_LINE_SECTIONS):
        known = ", ".join((*_WORD_SECTIONS, *_LINE_SECTIONS))
        raise LanguageFileError(where, number, f"unknown section {line}; known are {known}")
    if name in sections:
        raise LanguageFileError(where, number, f"section {line} stands there twice")
    return name


def _field(line: str, fields: Mapping[str, str], where: str, number: int) -> tuple[str, str]:
    name, colon, value = (part.strip() for part in line.partition(":"))
    if not colon or name not in _FIELDS or not value:
        raise LanguageFileError(where, number, f"expected one of {', '.join(_FIELDS)}, a colon and a value")
    if name in fields:
        raise LanguageFileError(where, number, f"'{name}' stands there twice")
    return name, value


def _language(fields: Mapping[str, str], sections: Mapping[str, list[_Line]], where: str) -> Language:
    words = {name: _words(sections.get(name, ())) for name in _WORD_SECTIONS}
    pairs = list(_pairs(sections.get("opposites", ()), where))
    lines = {name: sections.get(name, []) for name in _LINE_SECTIONS}
    return Language(
        code=fields["code"],
        name=fields["name"],
        script=fields["script"],
        letters=frozenset(fields.get("letters", "")),
        capitals=_capitals(fields.get("capitals", "")),
        tells=frozenset(words["tells"]),
        shared=frozenset(words["shared"]),
        others=frozenset(words["others"]),
        negations=index_phrases(map(phrase, words["negations"])),
        affixes=tuple(words["affixes"]),
        opposites=frozenset(pairs),
        prefixes=tuple(pair for pair in pairs if pair[0].endswith("-") and pair[1].endswith("-")),
        questions=index_phrases(map(phrase, words["questions"])),
        cased=frozenset(words["cased"]),
        numbers=dict(_numbers(lines["numbers"], where)),
        mentions=index_phrases(phrase(line.text) for line in lines["mentions"]),
        openings=_phrases([*lines["openings"], *lines["anywhere"]], word=0),
        closings=_phrases([*lines["closings"], *lines["anywhere"]], word=-1),
        anywhere=_phrases(lines["anywhere"], word=0),
        starts=dict(_groups(lines["same starts"], where)),
        endings=dict(_groups(lines["same endings"], where)),
    )


def _words(lines: Iterable[_Line]) -> list[str]:
    return [word for line in lines for word in line.text.split()]


def _capitals(text: str) -> Mapping[int, str]:
    return {ord(pair[0]): pair[2] for pair in text.split()}


def _pairs(lines: Iterable[_Line], where: str) -> Iterator[tuple[str, str]]:
    for line in lines:
        for pair in line.text.split():
            one, slash, other = pair.partition("/")
            if not slash or not other or "/" in other:
                raise LanguageFileError(where, line.number, f"'{pair}' is no pair: write one/other")
            yield one, other
            yield other, one


def _numbers(lines: Iterable[_Line], where: str) -> Iterator[tuple[str, str]]:
    for line in lines:
        digits, *words = line.text.split()
        if not digits.isdecimal() or not words:
            raise LanguageFileError(where, line.number, "expected digits and the words that mean them")
        yield from ((word, digits) for word in words)


def _phrases(lines: Iterable[_Line], *, word: int) -> HarmlessIndex:
    """The longest first, so that the rest of a long one is not left over."""
    found = [
        HarmlessPhrase(phrase(line.text), "," in {line.text[0], line.text[-1]}, line.text.endswith("?"))
        for line in lines
    ]
    index: dict[str, tuple[HarmlessPhrase, ...]] = {}
    for each in sorted(found, key=lambda each: -len(each.words)):
        index[each.words[word]] = (*index.get(each.words[word], ()), each)
    return index


def _groups(lines: Iterable[_Line], where: str) -> Iterator[tuple[Phrase, Phrase]]:
    for line in lines:
        members = [phrase(member) for member in line.text.split("=")]
        if len(members) == 1 or not all(members):
            raise LanguageFileError(where, line.number, "expected phrases with = between them")
        yield from ((member, members[0]) for member in members)


# ── what contradicts itself ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Checker:
    """What is harmless holds no word that turns a question around."""

    language: Language
    sections: Mapping[str, list[_Line]]
    where: str

    def check(self) -> None:
        for name in ("openings", "closings", "anywhere"):
            for line in self.sections.get(name, ()):
                self._check_phrase(line, phrase(line.text))
        for name in ("same starts", "same endings"):
            for line in self.sections.get(name, ()):
                self._check_group(line, [phrase(member) for member in line.text.split("=")])

    def _check_phrase(self, line: _Line, words: Phrase) -> None:
        for word in self._turning(words):
            raise LanguageFileError(
                self.where, line.number, f"'{line.text}' is not harmless: '{word}' changes what is asked"
            )

    def _check_group(self, line: _Line, members: Sequence[Phrase]) -> None:
        for read in (self._turning, self._asking):
            if len({tuple(sorted(read(member))) for member in members}) > 1:
                raise LanguageFileError(
                    self.where, line.number, f"'{line.text}': the phrases do not ask the same"
                )

    def _turning(self, words: Phrase) -> list[str]:
        rest = self._without_idioms(words)
        pairs = {word for pair in self.language.opposites for word in pair if not word.endswith("-")}
        found = [word for word in rest if word in pairs or word in self.language.numbers or word.isdecimal()]
        return found + count_negations(self.language, rest)

    def _asking(self, words: Phrase) -> list[str]:
        return find_phrases(self._without_idioms(words), self.language.questions)

    def _without_idioms(self, words: Phrase) -> Phrase:
        for line in self.sections.get("idioms", ()):
            idiom = phrase(line.text)
            for at in range(len(words) - len(idiom), -1, -1):
                if words[at : at + len(idiom)] == idiom:
                    words = words[:at] + words[at + len(idiom) :]
        return words
