"""Every string value of a JSON body: where its bytes stand, and which member it is.

Doubled members and names of any spelling are seen, so that nothing that a pool might read is passed over.
The body must be valid JSON; the time is linear in it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple, TypeAlias

import orjson

from router_extproc.llm.answer import JsonValue

#: Member names from the top of the body inwards; places in lists are left out.
Names: TypeAlias = tuple[str, ...]

_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
#: A name, a value that is a string, or a bracket; each has its group.
_TOKEN: Final = re.compile(rb"(" + _STRING + rb")[ \t\n\r]*+:|(" + _STRING + rb")|([{\[])|[}\]]", re.DOTALL)
_NAME, _VALUE, _OPENING = 1, 2, 3
#: One character of a string's text as it is written, or a run of plain ones.
_SPELLED: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]++", re.DOTALL
)
#: A list of the body's own members: messages, tools, choices. `element` counts the objects of such a list.
_LIST_DEPTH: Final = 2


class JsonString(NamedTuple):
    """One string value."""

    names: Names
    #: Of the object that it stands in, among those of a list at the top level; -1: in none.
    element: int
    #: Of its bytes without the quotes, as in slices.
    start: int
    end: int


def strings_of(body: bytes) -> Iterator[JsonString]:
    """The string values, in order."""
    stack: list[Names] = []
    inside: Names = ()
    #: The path of the value that comes next.
    path: Names = ()
    element = -1
    known: dict[tuple[Names, bytes], Names] = {}
    for token in _TOKEN.finditer(body):
        kind = token.lastindex
        start, end = token.span()
        if kind == _NAME:
            key = (inside, token[_NAME])
            path = known.get(key) or known.setdefault(key, (*inside, _name(token[_NAME])))
        elif kind == _VALUE:
            yield JsonString(path, element if len(stack) > _LIST_DEPTH else -1, start + 1, end - 1)
            path = inside
        elif kind == _OPENING:
            if len(stack) == _LIST_DEPTH:
                element += 1
            elif len(stack) < _LIST_DEPTH:
                element = -1
            stack.append(inside)
            inside = path
        else:
            inside = path = stack.pop()


def _name(quoted: bytes) -> str:
    return str(orjson.loads(quoted)) if b"\\" in quoted else quoted[1:-1].decode()


def text_of(spelled: str) -> str:
    """The text of a string as it is written between its quotes."""
    if "\\" not in spelled:
        return spelled
    value: JsonValue = orjson.loads(f'"{spelled}"')
    return str(value)


def spelled_places(spelled: str, places: Sequence[int]) -> list[int]:
    """Where these places of the text are in what is written; places in code points, both."""
    if "\\" not in spelled:
        return list(places)
    pieces = list(_SPELLED.finditer(spelled))
    plain = [not piece.group().startswith("\\") for piece in pieces]
    lengths = [len(piece.group()) if is_plain else 1 for piece, is_plain in zip(pieces, plain, strict=True)]
    starts = [0, *accumulate(lengths)]
    found = []
    for place in places:
        at = bisect_right(starts, place) - 1
        if at == len(pieces):
            found.append(len(spelled))
        else:
            found.append(pieces[at].start() + (place - starts[at] if plain[at] else 0))
    return found
