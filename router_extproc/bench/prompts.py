"""Prompts of a wanted length, made from common words, so that no data set is needed.

Where they are routed to means nothing; only the time counts. Every word is one token of the packaged
encoder, and every second one is a word of English sentences: the cache shares answers to other texts with
nobody.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

_TEXT: Final = (
    "river market winter garden paper music doctor window bridge summer coffee letter mountain "
    "picture station engine silver forest kitchen planet animal history island travel weather school "
    "yellow morning machine village number basket ocean theater pocket minister harbor student "
    "campaign library desert energy castle guitar railway insect painting tunnel orange teacher "
    "valley factory holiday copper sunset stadium bottle airport temple cotton "
)
_WORDS: Final = tuple(_TEXT.split())
_LINKS: Final = ("the", "and", "my", "about", "of", "for")
_VERBS: Final = (
    "clean",
    "repair",
    "sell",
    "paint",
    "store",
    "buy",
    "move",
    "photograph",
    "replace",
    "return",
)
#: The encoder's own marks at both ends.
_MARKS: Final = 2


class Prompts:
    """An endless supply; the same seed gives the same prompts."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)  # noqa: S311 - load, not secrets

    def fresh(self, tokens: int) -> str:
        """A prompt that was not asked before; `tokens` counts the encoder's marks."""
        return self._words(max(1, tokens - _MARKS))

    def question(self, tokens: int) -> str:
        """A question that was not asked before, behind others' words; at least 15 tokens."""
        verb, thing, place, kind = (self._random.choice(words) for words in (_VERBS, _WORDS, _WORDS, _WORDS))
        asked = f"how do I {verb} the {thing} near my {place} {kind}?"
        return f"{self._words(max(1, tokens - _ASKED_TOKENS))} . {asked}"

    def _words(self, count: int) -> str:
        return " ".join(self._random.choice(_WORDS if place % 2 else _LINKS) for place in range(count))


#: Tokens of `Prompts.question` beside the words before it: full stop, ten words, question mark, marks.
_ASKED_TOKENS: Final = 14
#: Tokens of the longer question below, with the full stop before it and without marks.
_QUESTION_TOKENS: Final = 12
#: With the words of this one, all questions get the same decision of the demo, and so meet in one partition.
BACKGROUND_SEED: Final = 20


def question(tokens: int) -> Questions:
    """A question of at most `tokens` tokens (at least 12), said again in other words, and two others."""
    length = tokens - _QUESTION_TOKENS
    background = f"{Prompts(seed=BACKGROUND_SEED).fresh(length)} . " if length > _MARKS else ""
    return Questions(
        f"{background}What are the main renewable energy sources?",
        f"{background}Tell me the main renewable energy sources.",
        f"{background}What are the main nonrenewable energy sources?",
        f"{background}What do the main renewable energy sources cost?",
    )


#: Blanks between two words, at most: with seven gaps there are 16,384 wordings.
_BLANKS_MAX: Final = 4


def anew(text: str) -> Iterator[str]:
    """The text again and again with other blanks: the same tokens, and no wording that was noted before.

    A semantic hit notes its wording, so that the same one is an exact hit from then on.
    """
    *words, last = text.split(" ")
    for number in count():
        blanks = (" " * (1 + (number // _BLANKS_MAX**place) % _BLANKS_MAX) for place in range(len(words)))
        yield "".join(word + blank for word, blank in zip(words, blanks, strict=True)) + last


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions that an encoder finds alike."""

    asked: str
    rephrased: str
    #: A guard refuses it.
    opposite: str
    #: Only the verifier's net refuses it.
    another: str
