"""Reading members of what operators send: of the right type, or a message that may be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

from router_extproc.cache.digest import DIGEST_CHARS
from router_extproc.llm.answer import JsonValue

#: A digest, or its first digits.
DIGEST_BEGINS = re.compile(rf"[0-9a-f]{{1,{DIGEST_CHARS}}}")


class Unreadable(ValueError):
    """The question cannot be understood; its message may be shown."""


def read_object(body: bytes) -> dict[str, JsonValue]:
    """The JSON object.

    Raises:
        Unreadable: not JSON, or something else.
    """
    members = read_json(body)
    if isinstance(members, Unreadable):
        raise members
    if not isinstance(members, dict):
        raise Unreadable("must be a JSON object")
    return members


def read_json(text: bytes) -> JsonValue | Unreadable:
    """The JSON value, or why it is none."""
    try:
        value: JsonValue = orjson.loads(text)
    except orjson.JSONDecodeError:
        return Unreadable("not JSON")
    return value


def take_flag(members: dict[str, JsonValue], name: str) -> bool:
    """Take a flag out of the members; absent is false.

    Raises:
        Unreadable: neither true nor false.
    """
    value = members.pop(name, False)
    if not isinstance(value, bool):
        raise Unreadable(f"{name}: must be true or false")
    return value


def text_of(members: Mapping[str, JsonValue], name: str) -> str | None:
    """The text; None: absent or null.

    Raises:
        Unreadable: something else.
    """
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"{name}: must be a text")
    return value


def hex_of(members: Mapping[str, JsonValue], name: str) -> str | None:
    """The first digits of a digest; None: absent or null.

    Raises:
        Unreadable: something else.
    """
    value = text_of(members, name)
    if value is not None and not DIGEST_BEGINS.fullmatch(value):
        raise Unreadable(f"{name}: must be 1 to {DIGEST_CHARS} hex digits")
    return value


def seconds_of(members: Mapping[str, JsonValue], name: str) -> float | None:
    """A number of seconds, 0 or more, written as a number or a text; None: absent or null.

    Raises:
        Unreadable: something else.
    """
    value = members.get(name)
    if value is None:
        return None
    try:
        number = float(value) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        number = -1.0
    if isinstance(value, bool) or not 0.0 <= number < float("inf"):
        raise Unreadable(f"{name}: must be a number of seconds")
    return number
