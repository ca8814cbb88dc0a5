"""A question as words: split, folded, stemmed, in order; what every guard looks at.

Reading takes time in proportion to the text, which is bounded, and no text makes it fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final, TypeVar

from router_extproc.equivalence.chunks import split_apostrophes
from router_extproc.equivalence.glosses import drop_glosses
from router_extproc.equivalence.writing import Writing, read_writing

#: Longer questions are not compared at all; the encoder's window ends long before.
QUESTION_CHARS_MAX = 2000
#: Questions that stay read, and how long each of them may be: stored ones are candidates again and again, and
#: an asked one is compared with several. So long are questions that fill the window of the verifier's net.
QUESTIONS_KEPT: Final = 256
KEPT_CHARS_MAX: Final = 1024
#: Stems that stay known.
STEMS_KEPT: Final = 4096

ValueT = TypeVar("ValueT")

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "−": "-", "–": "-", "—": " ", "‐": "-"})  # noqa: RUF001
_TOKEN = re.compile(
    r"(?P<number>(?<![\w.])-?\d[\d,]*(?:\.\d+)*|\d[\d,]*(?:\.\d+)*)"
    r"|(?P<free>-free\b)"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)"
    r"|(?P<symbol>[%$€£¥₹°])"
)
_ENDS_SENTENCE = frozenset(".?!:\n")
_NEGATED = (
    "do", "does", "did", "is", "are", "was", "were", "have", "has", "had", "could", "should", "would",
)  # fmt: skip
_CONTRACTIONS = {
    "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "ain't": ("is", "not"),
}
#: Typed without the apostrophe; "ill", "well" and "its" are words of their own.
_RUN_TOGETHER: Mapping[str, tuple[str, ...]] = {
    "cant": ("can", "not"), "wont": ("will", "not"),
    **{f"{verb}nt": (verb, "not") for verb in _NEGATED},
    **{f"{word}s": (word,) for word in ("what", "how", "who", "where", "when", "that", "there")},
    "im": ("i",), "ive": ("i",), "youre": ("you",), "theyre": ("they",),
}  # fmt: skip
_VOWELS = frozenset("aeiouy")
_SHORTEST_STEM = 3


def listed(words: str) -> frozenset[str]:
    """The words of a list, written with white space between them."""
    return frozenset(words.split())


#: Words that carry grammar, not content.
FUNCTION_WORDS = listed(
    """
    a an the this that these those i me my mine we us our ours you your yours he him his she her hers it its
    they them their theirs one ones there here who whom whose which what when where why how is am are was
    were be been being do does did doing done have has had having will would shall should can could may
    might must of in on at to for from by with about into onto over under between among through during as
    than then and or but if so because while although though please tell know explain give show get got
    getting just also very really actually some any much many more most such too up out off down no not nor
    never without only all every each both either neither other another s m re ve d ll t let like mean means
    """
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or symbol."""

    #: Lower case.
    text: str
    #: As written.
    written: str
    kind: str
    #: First in its sentence, so that a capital says nothing.
    opens: bool


@dataclass(frozen=True)
class Question:
    """The words of a question, and views of them that several guards share."""

    tokens: tuple[Token, ...]
    #: As it came, but for abbreviations that it explains; see `glosses`.
    text: str = ""
    #: By what read them; see `once`. Any: each reader has its own type.
    _views: dict[Callable[[Question], Any], Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, read: Callable[[Question], ValueT]) -> ValueT:
        """What `read` makes of the question; read at most once for as long as the question is kept.

        `read` depends on nothing else, and nobody changes what it returns.
        """
        try:
            value: ValueT = self._views[read]
        except KeyError:
            value = self._views[read] = read(self)
        return value

    @cached_property
    def writing(self) -> Writing:
        """What folding destroys of it."""
        return read_writing(self.text)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words in order, lower case."""
        return tuple(token.text for token in self.tokens if token.kind == "word")

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """The stems of the words, in order."""
        return tuple(stem(word) for word in self.words)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every word and its stem."""
        return frozenset(self.words).union(self.stems)

    @cached_property
    def word_set(self) -> frozenset[str]:
        """Every word once."""
        return frozenset(self.words)

    @cached_property
    def content_set(self) -> frozenset[str]:
        """Every stem of `content` once."""
        return frozenset(self.content)

    @cached_property
    def content(self) -> tuple[str, ...]:
        """Stems of the words that carry content, in order, adverbs left out."""
        return tuple(
            stemmed
            for word, stemmed in zip(self.words, self.stems, strict=True)
            if word not in FUNCTION_WORDS and not word.endswith("ly")
        )


def read_question(text: str) -> Question:
    """The question's words; text over QUESTION_CHARS_MAX is cut.

    Short texts that were read lately are not read again.
    """
    return _read_kept(text) if len(text) <= KEPT_CHARS_MAX else _read(text[:QUESTION_CHARS_MAX])


@lru_cache(maxsize=QUESTIONS_KEPT)
def _read_kept(text: str) -> Question:
    return _read(text)


def _read(text: str) -> Question:
    text = drop_glosses(text)
    folded = text.replace("`", "'") if text.isascii() else text.translate(_QUOTES)
    tokens: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(folded):
        opens = not tokens or not _ENDS_SENTENCE.isdisjoint(folded[end : match.start()])
        tokens.extend(_tokens(match.lastgroup or "", match.group(), opens=opens))
        end = match.end()
    return Question(tuple(tokens), text)


def _tokens(kind: str, written: str, *, opens: bool) -> list[Token]:
    if kind == "free":
        return [Token("without", "without", "word", opens=False)]
    lowered = written.lower()
    if lowered in _RUN_TOGETHER and written[1:].islower():
        return [Token(part, part, kind, opens) for part in _RUN_TOGETHER[lowered]]
    if kind != "word" or "'" not in lowered:
        return [Token(lowered, written, kind, opens)]
    if lowered in _CONTRACTIONS:
        parts: tuple[str, ...] = _CONTRACTIONS[lowered]
    elif lowered.endswith("n't"):
        # By itself it is the rest of a word that was cut.
        parts = (lowered[:-3], "not") if len(lowered) > len("n't") else ("not",)
    else:
        words = split_apostrophes(written)
        return [Token(word.lower(), word, kind, opens and place == 0) for place, word in enumerate(words)]
    return [Token(part, part, kind, opens) for part in parts]


@lru_cache(maxsize=STEMS_KEPT)
def stem(word: str) -> str:
    """The word without the endings of number, tense and degree; crude, and the same for both questions."""
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)] + replacement
    for ending in ("ing", "ed", "s"):
        root = word[: -len(ending)]
        if word.endswith(ending) and not word.endswith("ss") and _is_root(root):
            return _undouble(root) if ending != "s" else root.removesuffix("e")
    return word.removesuffix("e") if len(word) > _SHORTEST_STEM else word


def _is_root(root: str) -> bool:
    return len(root) >= _SHORTEST_STEM and not _VOWELS.isdisjoint(root)


def _undouble(root: str) -> str:
    if root[-1] == root[-2] and root[-1] not in "lsz":
        return root[:-1]
    return root.removesuffix("e")
