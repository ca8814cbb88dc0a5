"""Turns the scores of tokens into the names and places of a text.

A word counts as one, however many tokens it has; a span begins and ends with whole words.

Scores have a column for "outside" and then two for each kind, "begins" and "goes on" (BIO).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router_extproc.models.base import NameSpan

#: Columns before those of the kinds.
OUTSIDE = 0
FIRST_KIND = 1

Scores = NDArray[np.float32]
Offsets = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Word:
    """Tokens without anything between them but letters and digits."""

    start: int
    end: int
    #: Index of the likeliest kind; None: it is outside of all.
    kind: int | None
    begins: bool
    #: Chance that it is inside of any kind.
    score: float


def read_names(scores: Scores, offsets: Offsets, text: str, kinds: Sequence[str]) -> tuple[NameSpan, ...]:
    """The spans in order; scores: float32[tokens, 1 + 2 * len(kinds)], offsets: characters of each token."""
    spans: list[list[Word]] = []
    last: Word | None = None
    for word in read_words(scores, offsets, text):
        if word.kind is not None:
            if last is not None and last.kind == word.kind and not word.begins:
                spans[-1].append(word)
            else:
                spans.append([word])
        last = word
    return tuple(join_words(words, kinds) for words in spans)


def join_words(words: Sequence[Word], kinds: Sequence[str]) -> NameSpan:
    """One span of words of one kind, as sure as they are on the mean."""
    kind = words[0].kind
    if kind is None:
        raise ValueError("a span has a kind")
    score = float(np.mean([word.score for word in words]))
    return NameSpan(words[0].start, words[-1].end, kinds[kind], score)


def read_words(scores: Scores, offsets: Offsets, text: str) -> Iterator[Word]:
    """The words with what their tokens say on the mean; special tokens are none."""
    first = 0
    for place in range(1, len(offsets) + 1):
        if place < len(offsets) and continues(offsets, place, text):
            continue
        start, end = offsets[first][0], offsets[place - 1][1]
        if end > start:
            yield judge_word(scores[first:place], start, end)
        first = place


def continues(offsets: Offsets, place: int, text: str) -> bool:
    """True when the token continues the word of the one before."""
    (_, before), (start, end) = offsets[place - 1], offsets[place]
    return before == start < end and start > 0 and text[start - 1].isalnum() and text[start].isalnum()


def judge_word(scores: Scores, start: int, end: int) -> Word:
    """What the tokens of one word say together."""
    mean = scores.mean(axis=0)
    chances = mean[FIRST_KIND::2] + mean[FIRST_KIND + 1 :: 2]
    kind = int(chances.argmax())
    if mean[OUTSIDE] >= chances[kind]:
        return Word(start, end, None, begins=False, score=0.0)
    column = FIRST_KIND + 2 * kind
    return Word(
        start,
        end,
        kind,
        begins=bool(scores[0][column] > scores[0][column + 1]),
        score=float(1 - mean[OUTSIDE]),
    )
