"""Reading the members of a JSON object strictly: the type that the API prescribes, or no answer at all."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, TypeGuard

import orjson

from router_extproc.dialects.json_body import JsonObject
from router_extproc.llm.answer import JsonValue

#: A replay and a stored answer nest an answer's own members a few levels deeper than they came;
#: this many brackets around the original show that both can be written.
_SPARE_LEVELS: Final = 8


class NotUnderstoodError(Exception):
    """The object is not what the API prescribes; never leaves this package."""


def check_depth(document: JsonObject) -> None:
    """Refuse what could be read but not written again."""
    wrapped: JsonValue = document
    for _ in range(_SPARE_LEVELS):
        wrapped = [wrapped]
    try:
        orjson.dumps(wrapped)
    except orjson.JSONEncodeError as error:
        raise NotUnderstoodError from error


def others(members: JsonObject, known: Collection[str]) -> JsonObject:
    """The members without a field of their own."""
    return {name: value for name, value in members.items() if name not in known}


def an_object(value: JsonValue) -> JsonObject:
    """A copy that may be taken apart."""
    if type(value) is not dict:
        raise NotUnderstoodError
    return dict(value)


def a_list(value: JsonValue) -> list[JsonValue]:
    """The list.

    Raises:
        NotUnderstoodError: it is something else.
    """
    if type(value) is not list:
        raise NotUnderstoodError
    return value


def a_string(value: JsonValue) -> str:
    """The string.

    Raises:
        NotUnderstoodError: it is something else.
    """
    if type(value) is not str:
        raise NotUnderstoodError
    return value


def optional_string(value: JsonValue) -> str | None:
    """The string, or None for null.

    Raises:
        NotUnderstoodError: it is something else.
    """
    return None if value is None else a_string(value)


def an_integer(value: JsonValue) -> int:
    """The integer; true and false are none.

    Raises:
        NotUnderstoodError: it is something else.
    """
    if not is_integer(value):
        raise NotUnderstoodError
    return value


def is_integer(value: JsonValue) -> TypeGuard[int]:
    """True and false are no numbers in JSON."""
    return type(value) is int
