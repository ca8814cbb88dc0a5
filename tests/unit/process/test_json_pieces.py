"""A large value becomes JSON in pieces, and the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.process.json_pieces import ENTRIES_MAX, TURN_BYTES, encode_in_turns, json_pieces

LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
#: Two entries beyond what is encoded in one go.
LONG = ENTRIES_MAX + 2


@dataclass(frozen=True, slots=True)
class Seen:
    key: str
    counts: Mapping[str, int]
    then: tuple[object, ...] = ()


@given(VALUES, st.integers(0, 2 * LONG))
def test_the_pieces_are_the_whole(value: object, count: int) -> None:
    whole = {"list": [value] * count, "mapping": {str(number): value for number in range(count)}}
    assert b"".join(json_pieces(whole)) == orjson.dumps(whole)


@pytest.mark.parametrize("count", [0, 1, ENTRIES_MAX, LONG, 2 * ENTRIES_MAX])
def test_dataclasses_are_their_members_short_lists_and_long_ones_alike(count: int) -> None:
    whole = tuple(Seen(str(number), {"ü": number}, (Seen("in", {}),)) for number in range(count))
    assert b"".join(json_pieces(whole)) == orjson.dumps(whole)


@pytest.mark.parametrize("count", [0, 1, ENTRIES_MAX, LONG, 2 * ENTRIES_MAX])
def test_the_entries_of_an_iterator_are_made_as_they_are_encoded(count: int) -> None:
    made: list[int] = []

    def entry(number: int) -> list[int]:
        made.append(number)
        return [number]

    pieces = json_pieces({"sums": map(entry, range(count))})
    assert made == []
    assert b"".join(pieces) == orjson.dumps({"sums": [[number] for number in range(count)]})


async def test_others_have_their_turn_while_a_large_value_is_encoded() -> None:
    """Requests wait on the same event loop."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    text = await encode_in_turns([{"sessions": ["x" * 100] * 10_000}])
    counting.cancel()
    assert turns >= sum(map(len, text)) // (2 * TURN_BYTES) > 1
    assert max(map(len, text)) < 2 * TURN_BYTES
