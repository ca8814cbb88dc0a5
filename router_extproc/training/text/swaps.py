"""Makes hard negatives by one word: another thing, deed or quality that fits the same place of a question.

A word fits where other questions have it between the same two neighbours, so that the changed question reads
as if somebody had asked it.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from router_extproc.equivalence.words import FUNCTION_WORDS, stem
from router_extproc.training.text.contrast import replace_at

#: Neighbours of a place: the words before and behind it, lower case; empty at the ends.
Place = tuple[str, str]

_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
#: A word that stood in the place once may be there by chance.
_SEEN_MIN = 2
#: Fewer words say little about what fits; more are not kept.
_FITTING_MIN, _FITTING_MAX = 3, 200
_SHORTEST = 3
_SHARED_BEGINNING = 4


class Swaps:
    """What fits where, learned from questions."""

    def __init__(self, texts: Iterable[str]) -> None:
        counted: dict[Place, Counter[str]] = {}
        for text in texts:
            for place, match in _places(text):
                counted.setdefault(place, Counter())[match.group().lower()] += 1
        fitting = {place: _frequent(words) for place, words in counted.items()}
        self._fitting: Mapping[Place, Sequence[str]] = {
            place: words for place, words in fitting.items() if len(words) >= _FITTING_MIN
        }

    def change(self, text: str, rng: random.Random) -> str | None:
        """The question with one word replaced, or None where nothing else fits."""
        places = [(place, match) for place, match in _places(text) if place in self._fitting]
        rng.shuffle(places)
        for place, match in places:
            old = match.group().lower()
            others = [word for word in self._fitting[place] if not _is_alike(word, old)]
            if others:
                return replace_at(text, match, rng.choice(others))
        return None


def _places(text: str) -> Iterator[tuple[Place, re.Match[str]]]:
    """Every word that carries content, with its neighbours."""
    matches = list(_WORD.finditer(text))
    words = ["", *(match.group().lower() for match in matches), ""]
    for (before, word), after, match in zip(pairwise(words), words[2:], matches, strict=False):
        del word
        if _is_content(match.group().lower()) and (before or after):
            yield (before, after), match


def _frequent(words: Counter[str]) -> list[str]:
    return [word for word, count in words.most_common(_FITTING_MAX) if count >= _SEEN_MIN]


def _is_content(word: str) -> bool:
    return len(word) >= _SHORTEST and word not in FUNCTION_WORDS


def _is_alike(one: str, other: str) -> bool:
    """Forms of one word: they ask the same."""
    first, second = stem(one), stem(other)
    shared = min(len(first), len(second), _SHARED_BEGINNING)
    return first == second or first[:shared] == second[:shared]
