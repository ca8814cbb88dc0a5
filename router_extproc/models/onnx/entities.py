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
    firsts = [place for place in range(len(offsets)) if not (place and continues(offsets, place, text))]
    if not firsts:
        return
    ends = [*firsts[1:], len(offsets)]
    sizes = np.subtract(ends, firsts)
    # All words at once: one by one takes twice as long.
    means = np.add.reduceat(scores[: len(offsets)], firsts, axis=0) / sizes[:, np.newaxis]
    chances = means[:, FIRST_KIND::2] + means[:, FIRST_KIND + 1 :: 2]
    kinds = chances.argmax(axis=1)
    named = means[:, OUTSIDE] < chances.max(axis=1)
    begins = scores[firsts, FIRST_KIND + 2 * kinds] > scores[firsts, FIRST_KIND + 1 + 2 * kinds]
    for word, (first, end) in enumerate(zip(firsts, ends, strict=True)):
        span = offsets[first][0], offsets[end - 1][1]
        if span[0] >= span[1]:
            continue
        if named[word]:
            inside = float(1 - means[word, OUTSIDE])
            yield Word(*span, int(kinds[word]), begins=bool(begins[word]), score=inside)
        else:
            yield Word(*span, None, begins=False, score=0.0)


def continues(offsets: Offsets, place: int, text: str) -> bool:
    """True when the token continues the word of the one before."""
    (_, before), (start, end) = offsets[place - 1], offsets[place]
    return before == start < end and start > 0 and text[start - 1].isalnum() and text[start].isalnum()
