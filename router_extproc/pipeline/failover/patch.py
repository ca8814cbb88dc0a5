"""The difference between two bodies that an edit made of the same request: what is kept, and what is not.

Finds where the two agree again after a place in which they differ; where it does not, more is written out
than is needed, and never anything wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

#: Compared at once.
_BLOCK_BYTES: Final = 1 << 16
#: As many bytes that are equal are taken for the place where both go on alike.
_ANCHOR_BYTES: Final = 24
_STEP_BYTES: Final = 8
#: How far behind a difference that place is looked for.
_LOOK_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of the old body, and new ones behind them."""

    start: int
    length: int
    written: bytes


Patch: TypeAlias = tuple[Piece, ...]


def diff(old: bytes, new: bytes) -> Patch:
    """How `new` is made of `old`."""
    pieces, at, to = [], 0, 0
    while to < len(new):
        length = _alike(old, at, new, to)
        start, at, to = at, at + length, to + length
        skipped, written = _apart(old, at, new, to)
        pieces.append(Piece(start, length, new[to : to + written]))
        at, to = at + skipped, to + written
    return tuple(pieces)


def apply(patch: Patch, old: bytes) -> bytes:
    """The new body."""
    return b"".join(old[piece.start : piece.start + piece.length] + piece.written for piece in patch)


def written_bytes(patch: Patch) -> int:
    """How much of the new body is not in the old one."""
    return sum(len(piece.written) for piece in patch)


def _alike(old: bytes, at: int, new: bytes, to: int) -> int:
    """For how many bytes both go on alike."""
    length, block = 0, min(_BLOCK_BYTES, 1 << (len(old) - at).bit_length())
    while block:
        here, there = at + length, to + length
        if here + block <= len(old) and old[here : here + block] == new[there : there + block]:
            length += block
        else:
            block //= 2
    return length


def _apart(old: bytes, at: int, new: bytes, to: int) -> tuple[int, int]:
    """How many bytes of each belong to one difference."""
    window = new[to : to + _LOOK_BYTES]
    for skipped in range(0, _LOOK_BYTES, _STEP_BYTES):
        anchor = old[at + skipped : at + skipped + _ANCHOR_BYTES]
        if len(anchor) < _ANCHOR_BYTES:
            break
        found = window.find(anchor)
        if found >= 0:
            return skipped, found
    return len(old) - at, len(new) - to
