"""Writes a large value as JSON on the event loop, and lets the loop go on again and again meanwhile.

A thread would not help: the encoder keeps the interpreter to itself until it returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import chain, islice
from typing import Final, TypeVar

import orjson

EntryT = TypeVar("EntryT")

#: Of a list or a mapping, as many are encoded in one go.
ENTRIES_MAX: Final = 32
#: As much is encoded before others on the event loop have their turn; of sessions it takes some 0.4 ms.
TURN_BYTES: Final = 64 * 1024


async def encode_in_turns(value: object) -> list[bytes]:
    """The value as JSON, in some pieces; nobody may change it meanwhile."""
    turns: list[bytes] = []
    turn = bytearray()
    for piece in json_pieces(value):
        turn += piece
        if len(turn) >= TURN_BYTES:
            turns.append(bytes(turn))
            turn.clear()
            await asyncio.sleep(0)
    return [*turns, bytes(turn)]


def json_pieces(value: object) -> Iterator[bytes]:
    """The value as JSON: dataclasses, mappings with names as keys, sequences, and what they hold.

    An iterator is a list whose entries are made as they are encoded.
    """
    if is_dataclass(value):
        yield from _object((each.name, getattr(value, each.name)) for each in fields(value))
    elif isinstance(value, Mapping):
        yield from _mapping(value)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        yield from _list(value)
    elif isinstance(value, Iterator):
        yield from _enclosed(b"[", map(_inside, _made(value)), b"]")
    else:
        yield orjson.dumps(value)


def _mapping(members: Mapping[str, object]) -> Iterator[bytes]:
    if len(members) <= ENTRIES_MAX:
        yield from _object(members.items())
    else:
        parts = (dict(part) for part in _parts(tuple(members.items())))
        yield from _enclosed(b"{", map(_inside, parts), b"}")


def _object(members: Iterable[tuple[str, object]]) -> Iterator[bytes]:
    named = (chain((orjson.dumps(name), b":"), json_pieces(member)) for name, member in members)
    yield from _enclosed(b"{", named, b"}")


def _list(entries: Sequence[object]) -> Iterator[bytes]:
    """A short list may hold long ones; the entries of a long one are small."""
    if len(entries) <= ENTRIES_MAX:
        yield from _enclosed(b"[", map(json_pieces, entries), b"]")
    else:
        yield from _enclosed(b"[", map(_inside, _parts(entries)), b"]")


def _parts(entries: Sequence[EntryT]) -> Iterator[Sequence[EntryT]]:
    return (entries[first : first + ENTRIES_MAX] for first in range(0, len(entries), ENTRIES_MAX))


def _made(entries: Iterator[object]) -> Iterator[Sequence[object]]:
    while part := tuple(islice(entries, ENTRIES_MAX)):
        yield part


def _inside(part: object) -> tuple[bytes]:
    """The entries or members, without the brackets around them."""
    return (orjson.dumps(part)[1:-1],)


def _enclosed(first: bytes, parts: Iterable[Iterable[bytes]], last: bytes) -> Iterator[bytes]:
    yield first
    for number, part in enumerate(parts):
        if number:
            yield b","
        yield from part
    yield last
