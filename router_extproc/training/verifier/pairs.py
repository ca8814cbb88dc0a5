"""Reads question pairs and splits them so that no question is on both sides.

Questions that are joined by any chain of pairs, or that differ only in case and punctuation, stay
together in one part.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from router_extproc.errors import ConfigError
from router_extproc.evaluation.rows import read_rows

#: Words that put a pair into the part that stands for a domain never trained on.
HEALTH = re.compile(
    r"\b(disease|doctor|symptoms?|pregnan\w*|medicines?|medication|pills?|pain|cancer|diabet\w*|surgery|"
    r"infections?|vitamin|vaccin\w*|blood|fever|headaches?|acne|thyroid|allerg\w*|period|kidney|liver|"
    r"depression|anxiety|antibiotics?|ulcers?|hiv|asthma|cough|tumou?r|hospital|patients?|syndrome|disorder)\b",
    re.IGNORECASE,
)
#: Out of a hundred groups, those that judge instead of train.
DEV_PERCENT = 6


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions, and whether the answer to the first is right for the second."""

    cached: str
    asked: str
    label: int
    source: str


def read_pairs(path: Path, source: str) -> list[Pair]:
    """The pairs of a JSON Lines file. Raises ConfigError or ConfigProblems with line numbers."""
    rows = read_rows(path, required=("text_a", "text_b"))
    for row in rows:
        if row.fields.get("label") not in {0, 1}:
            raise ConfigError(f"{path}:{row.line}", "needs a label, 0 or 1")
    return [Pair(row.text("text_a"), row.text("text_b"), int(row.fields["label"]), source) for row in rows]


def plain(text: str) -> str:
    """Lower-case words and nothing else: near-duplicates become the same."""
    return " ".join(re.findall(r"\w+", text.lower()))


def group_pairs(pairs: Iterable[Pair]) -> dict[str, str]:
    """For every question in its plain form, the name of its group."""
    leader: dict[str, str] = {}

    def find(text: str) -> str:
        while leader[text] != text:
            leader[text] = leader[leader[text]]
            text = leader[text]
        return text

    for pair in pairs:
        first, second = (find(leader.setdefault(text, text) and text) for text in ends(pair))
        leader[first] = second
    return {text: find(text) for text in leader}


def ends(pair: Pair) -> tuple[str, str]:
    """Both questions in plain form."""
    return plain(pair.cached), plain(pair.asked)


def in_dev(group: str) -> bool:
    """A choice that depends on the group's name alone."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:4]) % 100 < DEV_PERCENT


@dataclass(frozen=True, slots=True)
class Split:
    """Pairs by use."""

    train: list[Pair]
    dev: list[Pair]
    #: Pairs of the health groups: a subject that training never sees.
    health: list[Pair]


def split_pairs(pairs: Sequence[Pair]) -> Split:
    """Divide by group."""
    groups = group_pairs(pairs)
    health = {groups[plain(pair.cached)] for pair in pairs if is_health(pair)}
    split = Split([], [], [])
    for pair in pairs:
        group = groups[plain(pair.cached)]
        part = split.health if group in health else split.dev if in_dev(group) else split.train
        part.append(pair)
    return split


def is_health(pair: Pair) -> bool:
    """Either question speaks of health."""
    return bool(HEALTH.search(pair.cached) or HEALTH.search(pair.asked))
