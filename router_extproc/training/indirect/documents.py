"""Documents with and without an instruction, in halves that share neither documents nor instructions.

Rows come as documents; where an injected row holds its instruction is found by laying it over the clean ones.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from router_extproc.evaluation.rows import read_rows
from router_extproc.signals.guard import BENIGN
from router_extproc.signals.parts.passages import Place, passage_places, tidy

INDIRECT: Final = "guard/bipia_indirect.train.jsonl"
SEED: Final = 1
#: Characters by which the clean document inside an injected one may differ.
SLACK_CHARS: Final = 2
#: Letters by which documents count as near-duplicates: mails of one sender begin alike.
ALIKE_LETTERS: Final = 12
#: A passage counts as the instruction when it holds so much of it, or is so much of it.
SHARE_MIN: Final = 0.5
_NO_LETTERS: Final = re.compile(r"[\d\W]+")


@dataclass(frozen=True, slots=True)
class Document:
    """A tool result."""

    text: str
    #: Without the instruction.
    clean: str
    #: Where the instruction is; None: there is none.
    place: Place | None

    @property
    def instruction(self) -> str:
        """What was hidden; "" for nothing."""
        return self.text[self.place[0] : self.place[1]].strip() if self.place else ""

    @property
    def group(self) -> str:
        """The same for near-duplicates."""
        return _NO_LETTERS.sub("", self.clean)[:ALIKE_LETTERS]


def read_documents(data: Path) -> list[Document]:
    """The rows of BIPIA; an injected row without its clean one is left out."""
    rows = read_rows(data / INDIRECT, required=("text", "label"))
    clean = [row.text("text") for row in rows if row.text("label") == BENIGN]
    documents = [Document(text, text, None) for text in clean]
    injected = (row.text("text") for row in rows if row.text("label") != BENIGN)
    return [*documents, *(found for text in injected if (found := lay_over(text, clean)) is not None)]


def lay_over(text: str, clean: Sequence[str]) -> Document | None:
    """The document with the place of its instruction: what is more than the longest clean text in it."""
    for base in sorted(clean, key=len, reverse=True):
        if len(base) < len(text):
            before = _same_chars(base, text)
            after = _same_chars(base[before:][::-1], text[before:][::-1])
            if before + after >= len(base) - SLACK_CHARS:
                return Document(text, base, (before, len(text) - after))
    return None


def labelled_passages(document: Document) -> Iterator[tuple[str, int]]:
    """Each passage, with 1 for the instruction and 0 for others, but for those that hold a little of it."""
    for start, end in passage_places(document.text):
        share = _share(document.place, (start, end))
        if not share or share >= SHARE_MIN:
            yield tidy(document.text[start:end]), int(share > 0)


def halve(documents: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    """Two halves with other documents and other instructions; rows that would mix them are left out."""
    generator = random.Random(SEED)
    groups = _draw_half(sorted({document.group for document in documents}), generator)
    hidden = _draw_half(sorted({document.instruction for document in documents} - {""}), generator)

    def fits(document: Document, *, first: bool) -> bool:
        known = document.place is None or (document.instruction in hidden) == first
        return known and (document.group in groups) == first

    return (
        [document for document in documents if fits(document, first=True)],
        [document for document in documents if fits(document, first=False)],
    )


def _same_chars(one: str, other: str) -> int:
    """Characters with which both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _draw_half(names: list[str], generator: random.Random) -> frozenset[str]:
    generator.shuffle(names)
    return frozenset(names[: len(names) // 2])


def _share(hidden: Place | None, passage: Place) -> float:
    """How much of the passage, or of what is hidden, both have in common."""
    if hidden is None:
        return 0.0
    shared = max(0, min(hidden[1], passage[1]) - max(hidden[0], passage[0]))
    return max(shared / (passage[1] - passage[0]), shared / (hidden[1] - hidden[0]))
