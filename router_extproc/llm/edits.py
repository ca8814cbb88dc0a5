"""Edits to a client's request body, each naming one place in it by its path.

Policy actions and model names become edits; the dialect applies them to the body's bytes.
An edit whose place does not exist, or has another type than the edit is for, changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from router_extproc.llm.answer import JsonValue

#: From the top of the body inwards: a string names a member, an integer counts elements of a list from 0.
#: An object may name a member twice; the path then means every one of them, as a pool may read any.
Path: TypeAlias = tuple[str | int, ...]

#: Paths that are known to be sound.
_PATHS_MAX: Final = 256
#: What members of the known APIs are called. No such name can follow the quote that ends a string, which
#: lets the editor find names without reading every string.
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class _At:
    """One place in a body.

    Raises:
        ValueError: no path, or a step that is neither a place in a list nor the name of a member.
    """

    path: Path

    def __post_init__(self) -> None:
        _check(self.path)


@lru_cache(maxsize=_PATHS_MAX)
def _check(path: Path) -> None:
    if not path or not all(_is_step(step) for step in path):
        raise ValueError(f"not a path of names and places: {path!r}")


def _is_step(step: str | int) -> bool:
    return _NAME.fullmatch(step) is not None if isinstance(step, str) else step >= 0


@dataclass(frozen=True, slots=True)
class Set(_At):
    """Put a value there; a member that is missing is added to its object."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class Add(_At):
    """Put a value there if the object has no member of this name; null counts as one."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class Cap(_At):
    """Replace a larger number by this one, also where a string spells it ("4096")."""

    most: int | float


@dataclass(frozen=True, slots=True)
class Remove(_At):
    """Take the member or element out."""


@dataclass(frozen=True, slots=True)
class PrependText(_At):
    """Put text in front of a string."""

    text: str


@dataclass(frozen=True, slots=True)
class AppendText(_At):
    """Put text behind a string."""

    text: str


@dataclass(frozen=True, slots=True)
class PrependItem(_At):
    """Put an element in front of a list's first one."""

    item: JsonValue


@dataclass(frozen=True, slots=True)
class AppendItem(_At):
    """Put an element behind a list's last one."""

    item: JsonValue


@dataclass(frozen=True, slots=True)
class RemoveItems(_At):
    """Take these elements out of a list; each is counted as it is before the edit."""

    items: frozenset[int]


Edit: TypeAlias = Set | Add | Cap | Remove | PrependText | AppendText | PrependItem | AppendItem | RemoveItems
