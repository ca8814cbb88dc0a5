"""One spelling for members of a request that mean the same: numbers, null, and values that ask for nothing.

Only what cannot change an answer is folded, on OpenAI's APIs and on vLLM. A default that a server may choose
by itself is no such thing: vLLM takes its temperature from the model's generation_config.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from router_extproc.llm.answer import JsonObject, JsonValue

#: From here on not every integer is a double, so two different numbers could become one.
_EXACT_MAX: Final = 2**53


@dataclass(frozen=True, slots=True)
class Spelling:
    """What one API's members say nothing with."""

    #: Null is the same as left out.
    nullable: frozenset[str]
    #: A list or an object with nothing in it asks for nothing.
    nothing_if_empty: frozenset[str]
    #: The same, unless the other member is there.
    nothing_if_empty_without: Mapping[str, str] = field(default_factory=dict)

    def of(self, members: JsonObject) -> JsonObject:
        """The same members, equal for requests that ask for the same."""
        return {
            name: _spelled(name, value)
            for name, value in members.items()
            if not self._says_nothing(name, value, members)
        }

    def _says_nothing(self, name: str, value: JsonValue, members: JsonObject) -> bool:
        if value is None:
            choice_of = {choice: of for of, choice in self.nothing_if_empty_without.items()}.get(name)
            # Beside tools, a choice of null and none at all are two things to vLLM.
            return name in self.nullable and not (choice_of and members.get(choice_of))
        if value not in ([], {}):
            return False
        other = self.nothing_if_empty_without.get(name)
        return name in self.nothing_if_empty or (other is not None and members.get(other) is None)


def _spelled(name: str, value: JsonValue) -> JsonValue:
    if name == "stop" and isinstance(value, str):
        return [value]
    if name == "logit_bias" and isinstance(value, dict):
        return {token: plain_number(bias) for token, bias in value.items()}
    return plain_number(value)


def plain_number(value: JsonValue) -> JsonValue:
    """1 for 1.0; any other value as it is."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_MAX:
        return int(value)
    return value
