"""Language files: one text file a language, which says what it is told by and which wording is harmless.

The format is described in docs/how-to/languages.md. Reading is strict: an unknown section, a word that is
listed as harmless although the same file calls it a negation, or a group whose members ask differently is an
error with its line, so that a slip of a translator cannot let a wrong answer through.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: The words of a phrase, in lower case; of a language that writes without spaces its characters.
Phrase = tuple[str, ...]

#: Phrases by their first word.
PhraseIndex = Mapping[str, tuple[Phrase, ...]]

#: Characters that are read one by one: kana, Han, Hangul.
JOINED: Final = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f"
TOKEN: Final = re.compile(rf"[{JOINED}]|[^\W_{JOINED}]+")
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
_SHORTEST_BASE: Final = 4


class LanguageFileError(ValueError):
    """A language file cannot be used; says where and why."""

    def __init__(self, where: str, line: int, problem: str) -> None:
        super().__init__(f"{where}, line {line}: {problem}")


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


def phrase(text: str) -> Phrase:
    """The words of a phrase as texts are split into words."""
    return tuple(TOKEN.findall(text.lower()))


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


def index_phrases(phrases: Iterable[Phrase]) -> PhraseIndex:
    """The phrases by their first word."""
    index: dict[str, tuple[Phrase, ...]] = {}
    for each in phrases:
        index[each[0]] = (*index.get(each[0], ()), each)
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
