"""Reads what stands between white space into words as they are written, and symbols in order.

What is prose, and what is code or a formula, is decided here. Reading takes time in proportion to the text,
which the caller bounds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

#: Marks that end a word or a sentence.
ENDINGS: Final = "?!.,;:"
_PROSE_MARKS: Final = frozenset({*ENDINGS, "&", '"', "'"})
#: Beside a number they are its unit, which the guard of numbers compares.
_QUANTITY_SIGNS: Final = frozenset("%$€£¥₹°")
_BOTH_SIDES: Final = 2
_WORD: Final = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*'?")
#: Two words with a mark and no space between them: anxiety?Please
_RUN_ON: Final = re.compile(r"[^\W\d_]{2,}[?!,;][^\W\d_]{2,}")
#: A year as an aside: (2016).
_YEAR: Final = re.compile(r"\((?:19|20)\d\d\)")
#: Thousands, in either case: 15k.
_THOUSANDS: Final = re.compile(r"(?:[$€£¥₹]|[Rr]s\.?)?\d[\d,.]*[kK]")
#: Letters, digits and hyphens: COVID-19, 5-year-old; a number with its unit, share or ordinal; a time.
_COMPOUND: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
#: Alternatives: and/or.
_ALTERNATIVES: Final = re.compile(r"[^\W\d_]+(?:/[^\W\d_]+)+")
#: A bracket around prose, which opens or ends with a word of two letters or more: "(low-fat", "(a few".
_ASIDE: Final = re.compile(r"\(?[^\W\d_]{2,}(?:['/-][^\W\d_]+)*[?!.,;:]?\)?|\([aAI]")
_NUMBER: Final = re.compile(
    r"[-+]?(?:[$€£¥₹]|[Rr]s\.?)?\d[\d,]*(?:\.\d+)?(?::\d\d)*(?:%|°[cfCF]?|[€£¥₹$]|[^\W\d_]{0,4})"
)
_INITIALS: Final = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]?")
_PIECES: Final = re.compile(r"\w+|[^\w\s]")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
#: Beside a symbol that stands alone these say what is asked of it; other words are what it stands between.
_AROUND_SYMBOLS: Final = frozenset(
    re.findall(
        r"\w+",
        """
        a an and are as at by can cause command code difference do does explain expression for from
        function get give happen happens how i if in is it keyword letter like look me mean means my of
        on operator or return returns set shell should show sign statement symbol tell the this to use
        used using value want was what when where which why will with work would you
        """,
    )
)
#: What a number with an exponent is: 1e-3.
_EXPONENT: Final = re.compile(r"[-+]?\d+(?:\.\d+)?[eE][-+]\d+")
#: A factorial; behind a longer number the mark ends a sentence.
_FACTORIAL: Final = re.compile(r"(?:\d{1,3}|[knmx])!")
_ENGLISH_ENDINGS: Final = frozenset({"s", "m", "re", "ve", "d", "ll"})


@dataclass(frozen=True, slots=True)
class WrittenWord:
    """One word as it stands."""

    written: str
    #: Without case and accents: what encoder and verifier see.
    folded: str
    #: It begins a sentence: its first letter is a capital for that alone.
    opens: bool


def fold(word: str) -> str:
    """The word without case and accents."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def split_apostrophes(word: str) -> list[str]:
    """The words on both sides of an apostrophe, without the endings of English (Berlin's, I'm, we'll).

    An elided article is part of no word: l'eau and l'air differ in what follows it.
    """
    parts = word.split("'")
    return [
        part for place, part in enumerate(parts) if part and not (place and part.lower() in _ENGLISH_ENDINGS)
    ]


class ChunkReader:
    """Reads what stands between white space into words and symbols."""

    def __init__(self, chunks: Sequence[str]) -> None:
        self._chunks: Final = chunks
        self.words: Final[list[WrittenWord]] = []
        self._symbols: Final[list[str]] = []
        #: Symbols beside brackets round prose.
        self._has_symbols = False

    def symbols(self) -> tuple[str, ...]:
        """Brackets count only beside other symbols: then they say what belongs together."""
        return tuple(self._symbols) if self._has_symbols else ()

    def read(self) -> None:
        """Read all chunks."""
        opens = True
        for index, chunk in enumerate(self._chunks):
            bare = chunk.rstrip(ENDINGS)
            if "!" in chunk and _FACTORIAL.match(chunk):
                self._has_symbols = True
                self._symbols.append(f"{bare}!")
            elif bare.isalpha() and bare.isascii():
                self._add_words((bare,), opens=opens)
            else:
                self._read(index, chunk, bare, opens=opens)
            opens = len(chunk) != len(bare) and chunk[-1] in ".?!:"

    def _read(self, index: int, chunk: str, bare: str, *, opens: bool) -> None:
        plain = _plain_words(bare)
        if plain is not None:
            self._add_words(plain, opens=opens)
            if not plain and bare and self._is_beside_symbol(index):
                self._symbols.append(bare)
        elif self._is_punctuation(index):
            pass
        elif _has_no_word(chunk):
            self._has_symbols = True
            self._symbols.extend(self._standing_alone(index))
        else:
            self._has_symbols = self._has_symbols or not _ASIDE.fullmatch(bare) or not {*bare} & {"(", ")"}
            self._symbols.extend(_PIECES.findall(bare))
            self._add_words(_LETTERS.findall(bare), opens=False)

    def _add_words(self, words: Sequence[str], *, opens: bool) -> None:
        for place, word in enumerate(words):
            self.words.append(WrittenWord(word, fold(word), opens and place == 0))

    def _is_punctuation(self, index: int) -> bool:
        """Marks that structure prose: a mark with a space before it, a dash between words, an `&`."""
        chunk, near = self._chunks[index], self._near(index)
        if chunk == "-":
            return len([each for each in near if _is_operand(each)]) < _BOTH_SIDES
        if chunk in _QUANTITY_SIGNS:
            return any(each[:1].isdigit() for each in near)
        last = index == len(self._chunks) - 1
        return chunk in _PROSE_MARKS or (last and not chunk.strip("?!."))

    def _is_beside_symbol(self, index: int) -> bool:
        near = (index - 1, index + 1)
        return any(
            _has_no_word(self._chunks[other]) and not self._is_punctuation(other)
            for other in near
            if 0 <= other < len(self._chunks)
        )

    def _near(self, index: int) -> list[str]:
        near = (index - 1, index + 1)
        return [self._chunks[other].rstrip(ENDINGS) for other in near if 0 <= other < len(self._chunks)]

    def _standing_alone(self, index: int) -> Iterator[str]:
        """A symbol with the words that it stands between."""
        last = index == len(self._chunks) - 1
        before = self._chunks[index - 1] if index else ""
        after = "" if last else self._chunks[index + 1].rstrip(ENDINGS)
        if before.isalpha() and fold(before) not in _AROUND_SYMBOLS:
            yield before
        yield from self._chunks[index].rstrip(ENDINGS) if last else self._chunks[index]
        if after.isalpha() and fold(after) not in _AROUND_SYMBOLS:
            yield after


def _plain_words(bare: str) -> list[str] | None:
    """The words of a chunk without symbols; empty: a number; None: it has symbols."""
    if _is_formula(bare):
        return None
    if _WORD.fullmatch(bare):
        return [word for part in bare.split("-") for word in split_apostrophes(part)]
    if _YEAR.fullmatch(bare) or _THOUSANDS.fullmatch(bare):
        return []
    if _NUMBER.fullmatch(bare) or _RUN_ON.fullmatch(bare):
        return _LETTERS.findall(bare)
    if _INITIALS.fullmatch(bare):
        return [bare.replace(".", "")]
    plain = _COMPOUND.fullmatch(bare) or _ALTERNATIVES.fullmatch(bare)
    return _LETTERS.findall(bare) if plain else None


def _is_formula(bare: str) -> bool:
    """True for a power, an index, a fraction such as ½, or a number with an exponent."""
    raised = any(letter.isnumeric() and not letter.isdecimal() for letter in bare if not letter.isascii())
    return raised or _EXPONENT.fullmatch(bare) is not None


def _is_operand(bare: str) -> bool:
    return len(bare) == 1 or bare[:1].isdigit() or not bare.isalpha()


def _has_no_word(chunk: str) -> bool:
    return not any(letter.isalnum() or letter == "_" for letter in chunk)
