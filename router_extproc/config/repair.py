"""A document without its malformed values, so that the rest of it can be checked in the same run.

It never makes a configuration that is used: the caller refuses to start in any case. The rule it
keeps: names that others refer to stay, list items keep their places.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

#: Stands for a signal that cannot be read: it exists, and any label may be asked of it.
_ANY_SIGNAL: Final = {"type": "header", "header": "x-unreadable"}
#: Likewise a model that cannot be read: nothing that a decision asks of it is wrong.
_ANY_MODEL: Final = {"cluster": "unreadable", "reasoning": {"family": "qwen3"}}
#: What a required value becomes; anything else that is wrong is left out.
_STAND_INS: Final[Mapping[str, object]] = {
    "version": 1,
    "default_model": "unreadable",
    "model": "unreadable",
    "name": "unreadable",
    "cluster": "unreadable",
    "type": "unreadable",
}


def repaired(document: object, places: Sequence[Sequence[str | int]]) -> object:
    """A copy in which each of the places is left out or filled with a stand-in."""
    rest = copy.deepcopy(document)
    for place in places:
        _repair(rest, place)
    return rest


def _repair(document: object, place: Sequence[str | int]) -> None:
    match place:
        case ["signals", name, *_]:
            _put(document, ["signals", name], _ANY_SIGNAL)
        case ["models", name]:
            _put(document, place, _ANY_MODEL)
        case [*_, str(key)] if key in _STAND_INS:
            _put(document, place, _STAND_INS[key])
        case [*_, int()]:
            _put(document, place, "unreadable")
        case [*way, key]:
            parent = _follow(document, way)
            if isinstance(parent, dict):
                parent.pop(key, None)


def _put(document: object, place: Sequence[str | int], value: object) -> None:
    parent = _follow(document, place[:-1])
    key: Any = place[-1]  # a str for a dict, an int for a list: the place was read from this document
    if isinstance(parent, dict | list):
        parent[key] = copy.deepcopy(value)


def _follow(document: object, way: Sequence[str | int]) -> object:
    here: Any = document  # YAML: any nesting of dicts, lists and scalars
    for step in way:
        known = step in here if isinstance(here, dict) else isinstance(here, list) and isinstance(step, int)
        if not known:
            return None
        here = here[step]
    return here
