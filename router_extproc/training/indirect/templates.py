"""Passages made of templates: hidden instructions, and lines of clean tool results.

Written for this project; the lists are in `words/`. The same generator gives the same passages.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("words")
_SLOT: Final = re.compile(r"\{(\w+)\}")
_COMMENT: Final = "# "
#: Slots inside slots are filled so deep.
DEPTH_MAX: Final = 4


def make_instructions(count: int, generator: random.Random) -> list[str]:
    """Hidden instructions, drawn at random."""
    templates = instructions()
    return [fill(generator.choice(templates), generator) for _ in range(count)]


def make_clean(times: int, generator: random.Random) -> list[str]:
    """Each clean line filled so many times, without repetitions."""
    filled = (fill(line, generator) for line in clean_lines() for _ in range(times))
    return list(dict.fromkeys(filled))


def fill(template: str, generator: random.Random, depth: int = DEPTH_MAX) -> str:
    """The template with every slot filled; braces that are no slot stay."""

    def choose(slot: re.Match[str]) -> str:
        entries = slots().get(slot.group(1))
        if entries is None or not depth:
            return slot.group()
        return fill(generator.choice(entries), generator, depth - 1)

    return _SLOT.sub(choose, template)


@cache
def instructions() -> Sequence[str]:
    """The templates of hidden instructions."""
    return _lines("instructions.txt")


@cache
def clean_lines() -> Sequence[str]:
    """The templates of clean lines, whatever document they are of."""
    return [line.split(":", 1)[1].strip() for line in _lines("benign.txt")]


@cache
def slots() -> Mapping[str, Sequence[str]]:
    """What may be in each slot."""
    named = (line.split(":", 1) for line in _lines("slots.txt"))
    return {name: [entry.strip() for entry in entries.split(";")] for name, entries in named}


def _lines(name: str) -> list[str]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(_COMMENT)]
