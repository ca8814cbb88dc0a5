"""What two questions share beside what they ask, such as a document that both are about.

It makes them alike, whatever is asked: then neither their similarity nor their length says anything, and what
is asked has to be compared by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from router_extproc.equivalence.words import Question

#: So many words in whole sentences that both have are a background.
BACKGROUND_MIN: Final = 8
#: A sentence that asks and is longer has its background in itself.
ASKING_MAX: Final = 40
_SENTENCE: Final = re.compile(r"[^.?!:;\n]+[.?!:;\n]*")
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Apart:
    """What each of two questions says that the other one does not."""

    #: "" where it says nothing of its own, or where that cannot be told from its background.
    cached: str
    asked: str


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    asks: bool


def asked_apart(cached: Question, asked: Question) -> Apart | None:
    """The rest of two questions with the same background, of which `asked` asks what `cached` does not.

    None: there is no such background. Or `cached` asks all of it and more, which does no harm: an answer to
    two questions answers one of them.
    """
    one, other = cached.once(_sentences), asked.once(_sentences)
    added = [words for words, sentence in other.items() if sentence.asks and words not in one]
    if any(len(words) > ASKING_MAX for words in added):
        return Apart("", "")
    if not added or sum(len(words) for words in one if words in other) < BACKGROUND_MIN:
        return None
    rests = (
        " ".join(sentence.text for words, sentence in own.items() if words not in others)
        for own, others in ((one, other), (other, one))
    )
    return Apart(*rests)


def _sentences(question: Question) -> dict[tuple[str, ...], _Sentence]:
    """Its sentences by their words. Questions ask; where there is none, the last sentence does."""
    pieces = [match[0].strip() for match in _SENTENCE.finditer(question.text)]
    said = {tuple(_WORD.findall(piece.lower())): _Sentence(piece, "?" in piece) for piece in pieces}
    said.pop((), None)
    if said and not any(sentence.asks for sentence in said.values()):
        last = next(reversed(said))
        said[last] = _Sentence(said[last].text, asks=True)
    return said
