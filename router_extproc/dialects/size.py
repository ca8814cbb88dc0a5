"""How much of an answer has come: the size of JSON values, and what an event adds to those held.

Counts characters of texts and names, and a fixed size for anything else, so that a stream's envelope (ids,
quotes, members that every event repeats) is no part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.llm.answer import JsonObject, JsonValue

#: A number, true, false or null.
_SCALAR_BYTES: Final = 8
#: Objects are merged to this depth, deeper ones replace what is held.
_MERGE_DEPTH: Final = 4


def size_of(value: JsonValue) -> int:
    """The size of one value, of any depth."""
    total, left = 0, [value]
    while left:
        match left.pop():
            case str() as text:
                total += len(text)
            case list() as elements:
                left += elements
            case dict() as members:
                total += sum(map(len, members))
                left += members.values()
            case None:
                pass
            case _:
                total += _SCALAR_BYTES
    return total


def growth_of(held: Mapping[str, object], members: JsonObject, depth: int = _MERGE_DEPTH) -> int:
    """What merging `members` into `held` adds: texts and lists grow, objects merge, the rest is replaced."""
    return sum(_growth(held.get(name), name, value, depth) for name, value in members.items())


def _growth(held: object, name: str, value: JsonValue, depth: int) -> int:
    if type(value) is dict and isinstance(held, Mapping):
        return growth_of(held, value, depth - 1) if depth else 0
    if held is None:
        return len(name) + size_of(value)
    return size_of(value) if isinstance(value, str | list) else 0
