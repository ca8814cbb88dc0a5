"""How a question is written: what the encoder and the verifier fold away before they read it.

Both read lower-case letters without accents and see most symbols as noise. So the guard `written` compares
the raw texts, through what is read here: the spelling of every word, symbols in order, quoted and mentioned
text. Reading takes time in proportion to the text, which the caller bounds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from router_extproc.equivalence.chunks import ENDINGS, ChunkReader, WrittenWord

#: What the capitals of a text say: nothing where it has none, or nothing else, or one on every word.
CaseStyle = Literal["mixed", "lower", "upper", "title"]

#: Typographic forms of what has a plain one; a full-width mark ends a word as a plain one with a space does.
_PLAIN: Final = str.maketrans(
    {
        "’": "'", "‘": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‹": "'", "›": "'",
        "「": '"', "」": '"', "『": '"', "』": '"',
        "‐": "-", "‑": "-", "−": "-", "–": "-", "—": " - ", "…": "...", "\u00a0": " ", "\u202f": " ",
        "？": "? ", "！": "! ", "。": ". ", "，": ", ", "、": ", ", "：": ": ", "；": "; ",
        "（": " (", "）": ") ",
        "¿": " ", "¡": " ", "\u200b": "", "\ufeff": "", "\u00ad": "",
    }
)  # fmt: skip
#: A quotation in single marks is short, so that a text of apostrophes is read in time.
_QUOTED: Final = re.compile(
    r"```(?P<block>[^`]*)```|`(?P<code>[^`\n]+)`|\"(?P<double>[^\"\n]+)\""
    r"|(?<![\w'])'(?P<single>(?:[^'\n]|(?<=\w)'(?=\w)){1,100})'(?![\w'])"
)
_QUOTE_MARKS: Final = frozenset("`\"'")
#: Behind a colon stands what is talked about: a sentence to correct, a text to translate.
_COLON: Final = re.compile(r":\s+(?=\S)")
#: Words that the next one is mentioned by, and what may stand between both.
_MENTIONS: Final = re.compile(
    r"\b(?:word|letters?|character|phrase|string|prefix|suffix|symbol|acronym|abbreviation"
    r"|spell|pronounce|spelling of|pronunciation of|meaning of|definition of|etymology of"
    r"|rhymes? with|synonyms? (?:of|for)|antonyms? (?:of|for)|anagrams? of|plural of|singular of"
    r"|past tense of|opposite of|translation of)\s+(?:(?:of|for|is|the|a|an|word|term|name)\s+)*"
    r"(?P<mentioned>[^\s?!.,;:]+)",
    re.IGNORECASE,
)
#: One of these is in each of them; to look for them takes a tenth of the time.
_MENTION_PARTS: Final = (
    "word", "letter", "character", "phrase", "string", "fix", "symbol", "acronym", "abbreviation", "spell",
    "pron", "meaning", "definition", "etymology", "rhyme", "onym", "anagram", "lural", "singular", "tense",
    "opposite", "translation",
)  # fmt: skip
#: One or several: the founder(s). Shorter ones may be functions: f(s), cos(s).
_OPTIONAL_PLURAL: Final = re.compile(r"(?<=[^\W\d_]{4})\((?:s|es)\)(?!\w)")
#: Marks doubled where a quotation went through a table: ""hello"".
_DOUBLED: Final = re.compile(r'(?<!")""(?=\w)|(?<=[\w?!.,])""(?!")')
#: Written with a capital in titles only.
_LITTLE: Final = frozenset(
    {"Is", "Are", "Was", "Do", "Does", "Can", "The", "To", "Of", "In", "On", "For", "And"}
)
_TITLE_WORDS_MIN: Final = 3
#: Fewer words in quotes are talked about; so many are a question that somebody asks.
_QUOTED_SENTENCE_WORDS: Final = 4
_TITLE_WORD_CHARS: Final = 4


@dataclass(frozen=True, slots=True)
class Writing:
    """What folding destroys of one question."""

    words: tuple[WrittenWord, ...]
    style: CaseStyle
    #: Symbols in order, and the words and numbers that they are attached to.
    symbols: tuple[str, ...]
    #: Texts in quotes or code marks, in order.
    quoted: tuple[str, ...]
    #: The text behind the first colon.
    behind_colon: str | None
    #: Words that are talked about, in order.
    mentioned: tuple[str, ...]
    #: The whole text, with plain marks.
    text: str
    #: The words once, without case and accents.
    folded: frozenset[str]


def plain_marks(text: str) -> str:
    """The text with plain marks for typographic and full-width ones."""
    plain = text if text.isascii() else unicodedata.normalize("NFC", text).translate(_PLAIN)
    return plain.replace(" -- ", " - ").strip()


def read_writing(text: str) -> Writing:
    """How the text is written."""
    plain = plain_marks(_OPTIONAL_PLURAL.sub("", text) if "(" in text else text)
    plain = _unquote(_DOUBLED.sub('"', plain) if '""' in plain else plain)
    quoted: tuple[str, ...] = ()
    rest = plain
    if not _QUOTE_MARKS.isdisjoint(plain):
        quoted = tuple(" ".join(_content(match).split()) for match in _QUOTED.finditer(plain))
        rest = _QUOTED.sub(' "" ', plain)
    mentioned = (
        tuple(match["mentioned"] for match in _MENTIONS.finditer(plain)) if _may_mention(plain) else ()
    )
    colon = _COLON.search(rest)
    behind = None if colon is None else " ".join(rest[colon.end() :].split()).rstrip(ENDINGS)
    reader = ChunkReader([chunk for chunk in rest.split() if chunk.strip('"') or chunk == '"'])
    reader.read()
    return Writing(
        tuple(reader.words),
        _style(reader.words),
        reader.symbols(),
        quoted,
        behind,
        mentioned,
        plain,
        frozenset(word.folded for word in reader.words),
    )


def _unquote(text: str) -> str:
    """The text without marks around all of it, or a single mark that was left of them."""
    bare = text.rstrip(ENDINGS)
    if text.startswith('"') and '"' not in text[1:]:
        return text[1:]
    is_whole = len(bare) > 1 and bare[0] == bare[-1] == '"' and '"' not in bare[1:-1]
    # A word or two in quotes are what is talked about.
    return bare[1:-1] if is_whole and len(bare.split()) >= _QUOTED_SENTENCE_WORDS else text


def _may_mention(text: str) -> bool:
    # Not `casefold`: a long s, which matches an s here, is none of ASCII and is let through.
    lowered = text.lower()
    return not text.isascii() or any(part in lowered for part in _MENTION_PARTS)


def _content(match: re.Match[str]) -> str:
    return next(part for part in match.groups() if part is not None).rstrip(",.")


def _style(words: Sequence[WrittenWord]) -> CaseStyle:
    written = [word.written for word in words if word.folded != "i"]
    joined = "".join(written)
    # Letter by letter takes a tenth of the whole reading, and only other scripts than ASCII need it.
    if joined == joined.lower() if joined.isascii() else not any(map(str.isupper, joined)):
        return "lower"
    if len(written) > 1 and not any(letter.islower() for word in written for letter in word):
        return "upper"
    if all(word[0].isupper() for word in written) and not _LITTLE.isdisjoint(written[1:]):
        return "title"
    long = [word for word in written if len(word) >= _TITLE_WORD_CHARS]
    return "title" if len(long) >= _TITLE_WORDS_MIN and all(word[0].isupper() for word in long) else "mixed"
