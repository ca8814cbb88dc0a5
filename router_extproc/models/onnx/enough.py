"""How sure the net must be of a pair: less, where what is known without it speaks for the pair.

Long questions in other words differ in more than short ones, so that the net doubts them; it is right about
them all the same. Figures in docs/measurements/cache.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from router_extproc.equivalence import Question
from router_extproc.equivalence.asking import (
    differs_at_one_place,
    differs_in_one_thing,
    differs_in_whom_or_when,
    same_asking,
)
from router_extproc.equivalence.order import same_order
from router_extproc.equivalence.replaced import same_words

#: Chance from which a match is accepted when no guard objects and a very high similarity speaks for it. On
#: development pairs that no net was trained on it adds a fifth to Quora's hits at the same precision, and
#: accepts 2 % of PAWS's wrong pairs.
SUPPORTED_CHANCE_MIN: Final = 0.6
#: The same when a guard objects to nothing but how it is asked ("how", "where").
ASKED_OTHERWISE_CHANCE_MIN: Final = 0.7
#: Chance from which questions of the same words match ("exactly", "the", "one" for "I"): the net doubts them
#: for no reason.
SAME_WORDS_CHANCE_MIN: Final = 0.6


@dataclass(frozen=True, slots=True)
class Pair:
    """What is weighed."""

    cached: Question
    asked: Question
    #: In [-1, 1].
    similarity: float


@dataclass(frozen=True, slots=True)
class Bar:
    """What is enough for two questions of some length that are alike."""

    #: Of the shorter one.
    words_min: int
    similarity_min: float
    chance_min: float

    def covers(self, pair: Pair) -> bool:
        """True when the pair is long and alike enough."""
        words = min(len(pair.cached.words), len(pair.asked.words))
        return words >= self.words_min and pair.similarity >= self.similarity_min


#: They differ in several things, which is what other words for the same look like.
REWORDED: Final = Bar(10, 0.87, 0.4)
#: One thing tells them apart, and words that say little are others as well.
LOOSE: Final = Bar(10, 0.9, 0.55)
#: Nothing but one thing differs: that may be the condition which the answer depends on.
TOLD_APART: Final = Bar(10, 0.9, 0.72)


def enough_for(pair: Pair, *, otherwise: float, objections: int, is_close: bool) -> float:
    """The chance that such a pair needs.

    otherwise: when nothing speaks for it.
    objections: how many guards object to it.
    is_close: its similarity is very high.
    """
    if differs_in_whom_or_when(pair.cached, pair.asked):
        return otherwise
    bar = bar_of(pair)
    return min(
        otherwise,
        1.0 if bar is None else bar.chance_min,
        SAME_WORDS_CHANCE_MIN if same_words(pair.cached, pair.asked) else 1.0,
        supported(pair, objections) if is_close else 1.0,
    )


def supported(pair: Pair, objections: int) -> float:
    """What is enough for a pair with a very high similarity; 1.0: only certainty."""
    if objections == 0:
        return SUPPORTED_CHANCE_MIN
    is_asked_otherwise = objections == 1 and same_asking(pair.cached, pair.asked) == "intent"
    return ASKED_OTHERWISE_CHANCE_MIN if is_asked_otherwise else 1.0


def bar_of(pair: Pair) -> Bar | None:
    """What is enough for a long rewording; None: it is none."""
    if not REWORDED.covers(pair) or same_order(pair.cached, pair.asked) is not None:
        return None
    if not differs_in_one_thing(pair.cached, pair.asked):
        return REWORDED
    bar = TOLD_APART if differs_at_one_place(pair.cached, pair.asked) else LOOSE
    return bar if bar.covers(pair) else None
