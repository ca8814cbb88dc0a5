"""A stream of questions made of labelled pairs, and what the labels say of a hit.

What nobody labelled is never taken for right; a direct label counts before a chain of others.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from router_extproc.evaluation.rows import Row
from router_extproc.training.verifier.pairs import Pair, group_pairs, plain

#: What is known of a hit: labelled right, labelled wrong, or not labelled at all.
Truth: TypeAlias = Literal["right", "wrong", "unlabelled"]

#: Order of the stream.
SEED: Final = 7


def read_stream_pairs(rows: Iterable[Row], labels: Iterable[bool | None]) -> list[LabelledPair]:
    """The pairs of rows with `text_a`, `text_b` and, or not, a label."""
    return [
        LabelledPair(row.text("text_a"), row.text("text_b"), label)
        for row, label in zip(rows, labels, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two questions; True: one answer is right for both; None: nobody said."""

    one: str
    other: str
    label: bool | None


def make_stream(pairs: Sequence[LabelledPair], *, once: bool = False, seed: int = SEED) -> list[str]:
    """Every question as often as pairs name it, or once, in an order drawn with the seed."""
    questions = [text for pair in pairs for text in (pair.one, pair.other)]
    if once:
        questions = list(dict.fromkeys(questions))
    random.Random(seed).shuffle(questions)  # noqa: S311 - an order, not a secret
    return questions


class Labels:
    """What the pairs say of any two questions."""

    def __init__(self, pairs: Sequence[LabelledPair]) -> None:
        self._direct: Final = _direct(pairs)
        same = (Pair(pair.one, pair.other, 1, "") for pair in pairs if pair.label)
        self._cluster: Final = group_pairs(same)

    def clusters(self, questions: Iterable[str]) -> int:
        """How many answers the questions need, if right labels and chains of them are all that is known."""
        plains = {plain(text) for text in questions}
        return len({self._cluster.get(text, text) for text in plains})

    def truth(self, cached: str, asked: str) -> Truth:
        """Whether the answer to one is right for the other.

        Right without a label of their own: questions that differ in case and punctuation only, and
        those that a chain of right pairs joins.
        """
        one, other = plain(cached), plain(asked)
        label = self._direct.get(frozenset((one, other)))
        if label is not None:
            return "right" if label else "wrong"
        if one == other or self._cluster.get(one, one) == self._cluster.get(other, other):
            return "right"
        return "unlabelled"


def _direct(pairs: Sequence[LabelledPair]) -> Mapping[frozenset[str], bool]:
    """The label of each two questions; labelled both ways, they are wrong."""
    found: dict[frozenset[str], bool] = {}
    for pair in pairs:
        both = frozenset((plain(pair.one), plain(pair.other)))
        if pair.label is not None and len(both) > 1:
            found[both] = pair.label and found.get(both, True)
    return found
