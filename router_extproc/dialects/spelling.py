"""One spelling for values that every pool reads as the same."""

from __future__ import annotations

from typing import Final

from router_extproc.llm.answer import JsonValue

#: From here on not every integer is a double, so two different numbers could become one.
_EXACT_MAX: Final = 2**53


def plain_number(value: JsonValue) -> JsonValue:
    """1 for 1.0; any other value as it is."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_MAX:
        return int(value)
    return value
