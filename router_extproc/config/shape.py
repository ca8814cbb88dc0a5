"""Which keys the configuration knows at a YAML path; for hints.

It reads the types of `model.py` and nothing else, so a new section needs no line here.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Union, get_args, get_origin

from router_extproc.section import Section


def keys_at(section: type[Section], keys: Sequence[str | int], *, tags: str = "") -> list[str]:
    """The known keys under a path; with `tags`, the values of that key that a union there knows."""
    here: list[object] = [section]
    for key in keys:
        here = [inner for outer in here for inner in _inside(outer, key)]
    found = [name for kind in here for name in _names(kind, tags=tags)]
    return list(dict.fromkeys(found))


def _names(kind: object, *, tags: str) -> Iterator[str]:
    if not (isinstance(kind, type) and issubclass(kind, Section)):
        return
    if not tags:
        yield from (field.alias or name for name, field in kind.model_fields.items())
    elif tags in kind.model_fields:
        yield from map(str, get_args(kind.model_fields[tags].annotation))


def _inside(kind: object, key: str | int) -> Iterator[object]:
    """The types that a value under `key` may have."""
    if isinstance(kind, type) and issubclass(kind, Section):
        for name, field in kind.model_fields.items():
            if key == (field.alias or name):
                yield from _flat(field.annotation)
    elif get_origin(kind) is dict:
        yield from _flat(get_args(kind)[1])
    elif get_origin(kind) is tuple:
        yield from _flat(get_args(kind)[0])


def _flat(kind: object) -> Iterator[object]:
    """The members of a union, annotations taken off."""
    if get_origin(kind) is Annotated:
        yield from _flat(get_args(kind)[0])
    elif get_origin(kind) in (Union, types.UnionType):
        for member in get_args(kind):
            yield from _flat(member)
    else:
        yield kind
