"""Scalars of a request as pools read them: "0.7" is a number, 100.0 an integer, and 1 is true.

Pools are built on pydantic, which reads so unless it is told to be strict. What cannot be read like this is
the pool's error, too.
Source: the pydantic documentation, "Conversion Table" (lax mode, JSON input).
"""

from __future__ import annotations

import math
from collections.abc import Container
from typing import Final

from router_extproc.llm.answer import JsonValue

_TRUE: Final = frozenset({"1", "on", "t", "true", "y", "yes"})
_FALSE: Final = frozenset({"0", "off", "f", "false", "n", "no"})
#: Longer texts are no numbers that anybody writes; Python takes long for some of them.
_CHARS_MAX: Final = 64


def boolean(value: JsonValue) -> bool | None:
    """The value as true or false; None: it is neither."""
    match value:
        case bool():
            return value
        case int() | float() if value in {0, 1}:
            return value == 1
        case str() if value.lower() in _TRUE:
            return True
        case str() if value.lower() in _FALSE:
            return False
        case _:
            return None


def is_true(value: JsonValue) -> bool:
    """Whether a pool reads the value as true."""
    return value is True or boolean(value) is True


def number(value: JsonValue) -> float | None:
    """The value as a number, which may be infinite or none ("nan"); None: it is none at all."""
    match value:
        case int() | float():
            return value
        case str() if len(value) <= _CHARS_MAX:
            return _parsed(value)
        case _:
            return None


def integer(value: JsonValue) -> int | None:
    """The value as an integer; None: it is none."""
    read = number(value)
    if read is None or not math.isfinite(read) or read != int(read):
        return None
    return int(read)


def is_one_of(value: JsonValue, names: Container[str]) -> bool:
    """Whether the value is one of the names; a list or an object, which cannot be looked up, is none."""
    return type(value) is str and value in names


def _parsed(text: str) -> float | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None
