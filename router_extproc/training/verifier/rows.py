"""Chooses the pairs that the verifier's net is trained on: labelled ones and made ones, mixed.

RQE and the health pairs of Quora are never trained on: they stand for subjects that the verifier has not
seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from router_extproc.training.text.contrast import make_contrast
from router_extproc.training.text.rephrase import make_rephrasing
from router_extproc.training.verifier.pairs import Pair, Split, plain, read_pairs, split_pairs

FILES = {
    "qqp": "pairs/qqp.dev.jsonl",
    "paws": "pairs/paws_en.dev.jsonl",
    "banking": "pairs/banking77.train.jsonl",
    "rqe": "pairs/rqe.train.jsonl",
}
#: Pairs of Banking77 that train: word overlap misleads there, so it must stay a small part.
BANKING_ROWS = 4000
#: Share of the true Quora pairs, of the false ones that share many words, and of the other false ones.
TRUE_SHARE, NEAR_SHARE, FAR_SHARE = 0.75, 0.9, 0.12
#: Words in common, out of all, from which a false pair is near.
NEAR_MIN = 0.35
#: Longer questions are not changed: one changed word is lost in them.
CHANGED_CHARS_MAX = 140
#: Questions that are changed by themselves, true pairs of which one end is, and banking questions.
ALONE_ROWS, PAIRED_ROWS, BANKING_CHANGED = 14_000, 6_000, 1_500
#: Chance that a contrast is rephrased as well, so that a change of manners says nothing.
ALSO_REPHRASED = 0.35


@dataclass(frozen=True, slots=True)
class PairRows:
    """What training and judging read."""

    labelled: list[Pair]
    made: list[Pair]
    #: By name; none of their questions is trained on.
    judged: dict[str, list[Pair]]


def gather_pairs(folder: Path, seed: int) -> PairRows:
    """All rows from a data folder."""
    sources = {source: read_pairs(folder / name, source) for source, name in FILES.items()}
    quora, paws = split_pairs(sources["qqp"]), split_pairs(sources["paws"])
    rng = random.Random(seed)
    labelled = [pair for pair in quora.train if rng.random() < share_of(pair)]
    labelled += [*paws.train, *sources["banking"][:BANKING_ROWS]]
    rng.shuffle(labelled)
    made = list(make_pairs(quora, sources["banking"], rng))
    return PairRows(labelled, made, judged_rows(quora, paws, sources))


def judged_rows(quora: Split, paws: Split, sources: dict[str, list[Pair]]) -> dict[str, list[Pair]]:
    """The parts that training never sees."""
    return {
        "quora": quora.dev,
        "quora health": quora.health,
        "paws": [*paws.dev, *paws.health],
        "rqe": sources["rqe"],
        "banking": sources["banking"][BANKING_ROWS:],
    }


def share_of(pair: Pair) -> float:
    """How often a Quora pair of this kind is taken."""
    if pair.label:
        return TRUE_SHARE
    first, second = set(plain(pair.cached).split()), set(plain(pair.asked).split())
    near = len(first & second) >= NEAR_MIN * len(first | second)
    return NEAR_SHARE if near else FAR_SHARE


def make_pairs(quora: Split, banking: Sequence[Pair], rng: random.Random) -> Iterator[Pair]:
    """Hard pairs of both labels."""
    short = [pair for pair in quora.train if max(len(pair.cached), len(pair.asked)) < CHANGED_CHARS_MAX]
    rng.shuffle(short)
    same = [pair for pair in short if pair.label]
    yield from kept(
        change_alone(pair.cached, rng, both=index % 2 == 0) for index, pair in enumerate(short[:ALONE_ROWS])
    )
    yield from kept(
        change_paired(pair, rng, contrast=index % 2 == 0) for index, pair in enumerate(same[:PAIRED_ROWS])
    )
    yield from kept(change_alone(pair.cached, rng, both=True) for pair in banking[:BANKING_CHANGED])


def change_alone(text: str, rng: random.Random, *, both: bool) -> list[tuple[str, str | None, int]]:
    """A question against its contrast and, if both, its rephrasing."""
    rows = [(text, blur(make_contrast(text, rng), rng), 0)]
    if both:
        rows.append((text, make_rephrasing(text, rng, rounds=rng.choice((1, 2, 3))), 1))
    return rows


def change_paired(pair: Pair, rng: random.Random, *, contrast: bool) -> list[tuple[str, str | None, int]]:
    """A true pair with its second question turned into a contrast or rephrased."""
    if contrast:
        return [(pair.cached, blur(make_contrast(pair.asked, rng), rng), 0)]
    return [(pair.cached, make_rephrasing(pair.asked, rng), 1)]


def blur(text: str | None, rng: random.Random) -> str | None:
    """The text, rephrased once now and then."""
    if text is None or rng.random() >= ALSO_REPHRASED:
        return text
    return make_rephrasing(text, rng, rounds=1) or text


def kept(groups: Iterable[list[tuple[str, str | None, int]]]) -> Iterator[Pair]:
    """Those that came about."""
    for first, second, label in (row for group in groups for row in group):
        if second and second != first:
            yield Pair(first, second, label, "made")
