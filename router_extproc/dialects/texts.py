"""Finds the texts of a request's body: every string but those that a dialect says are none.

A member that is not known counts as text: it is better to look at a name too much than to miss a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from router_extproc.dialects.base import BodyText, TextPart
from router_extproc.dialects.json_strings import JsonString, Names, strings_of, text_of

MESSAGES: Final = "messages"
#: How a string is read: as a text, as JSON, as a text unless it is bytes in base64, or not.
StringForm: TypeAlias = Literal["text", "json", "uncoded", "none"]
#: Paths with more names are of a client's own making.
_NAMES_MAX: Final = 8
#: Paths that are known; a client's own names must not fill the memory.
_KEPT_MAX: Final = 2048
#: Members that are the same in every turn: their values are numbered before those of the messages.
_SYSTEM: Final = frozenset({"system", "instructions"})
_LASTING: Final = _SYSTEM | {"tools", "functions"}
#: Names that lead to a member of a turn.
_OF_A_TURN: Final = 2
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
#: Files are longer, and the lines of coded ones are not shorter. A number or a key is.
_CODED_BYTES_MIN: Final = 60
_LINE_ENDS: Final = (rb"\n", rb"\r")


@dataclass(frozen=True, slots=True)
class TextRules:
    """What a dialect knows of its strings."""

    form: Callable[[Names], StringForm]
    #: Of a string in a message: by its path and its message's role.
    part: Callable[[Names, TextPart], TextPart]
    roles: Mapping[str, TextPart]
    #: Members at the top that hold what is asked, turn by turn or at once.
    turns: frozenset[str] = frozenset({MESSAGES})
    #: Whose texts a turn without a role holds, by its type; None: such a turn is nobody's.
    kinds: Callable[[str], TextPart] | None = None


def find_texts(body: bytes, rules: TextRules) -> Iterator[BodyText]:
    """See RequestDialect.texts."""
    strings = list(strings_of(body))
    roles = _roles(body, strings, rules)
    for names, element, start, end in strings:
        form = _form(rules.form, names) if len(names) <= _NAMES_MAX else "text"
        if form == "none" or (form == "uncoded" and _is_coded(body[start:end])):
            continue
        part = _part(names, rules, roles.get(element, "other"))
        order = _order(names, rules.turns)
        yield BodyText(start, end, "json" if form == "json" else "text", part, order)


def _roles(body: bytes, strings: Sequence[JsonString], rules: TextRules) -> Mapping[int, TextPart]:
    """By turn: whose texts it holds."""
    kinds: dict[int, TextPart] = {}
    roles: dict[int, TextPart] = {}
    for names, element, start, end in strings:
        if len(names) == _OF_A_TURN and names[0] in rules.turns:
            if names[1] == "role":
                roles[element] = rules.roles.get(text_of(body[start:end].decode()), "other")
            elif names[1] == "type" and rules.kinds is not None:
                kinds[element] = rules.kinds(text_of(body[start:end].decode()))
    return {**kinds, **roles}


def _is_coded(spelled: bytes) -> bool:
    """Whether it is base64, in one piece or in lines; `spelled`: as it is written in the body."""
    first = spelled[:_CODED_BYTES_MIN]
    if len(first) < _CODED_BYTES_MIN or any(end in first for end in _LINE_ENDS):
        return False
    for escape in (rb"\/", *_LINE_ENDS):
        spelled = spelled.replace(escape, b"")
    return not spelled.translate(None, delete=_BASE64)


@lru_cache(maxsize=_KEPT_MAX)
def _form(form: Callable[[Names], StringForm], names: Names) -> StringForm:
    return form(names)


def _part(names: Names, rules: TextRules, role: TextPart) -> TextPart:
    top = names[0] if names else ""
    if top in rules.turns:
        return rules.part(names, role)
    if top in _SYSTEM:
        return "system"
    return "tools" if top in _LASTING else "other"


def _order(names: Names, turns: frozenset[str]) -> int:
    top = names[0] if names else ""
    return 0 if top in _LASTING else 1 if top in turns else 2
