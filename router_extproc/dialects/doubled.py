"""The rule for a body in which an object names a member twice.

Pools read the last one (RFC 8259 lets every reader choose), and so do we; an edit changes each of them. What
decides who answers, and what is asked, must be the same to every reader: otherwise a guard could look at one
text and the model at another. Source: RFC 8259, section 4.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import orjson

from router_extproc.dialects.json_body import canonical, has_duplicate_members
from router_extproc.dialects.json_spans import Spans
from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import JsonObject, JsonValue

#: Levels that must be left to readers that call themselves, for they begin with calls behind them.
_SPARE_LEVELS: Final = 100


def mark_of_doubled(body: bytes, document: JsonObject, deciding: tuple[str, ...]) -> bytes:
    """What makes the cache's keys of such a body its own; nothing where no member is named twice.

    Only the very same bytes are the same request then, for a pool may read another member than we. No
    canonical form holds a newline, so nothing else comes out like this.
    deciding: members of the body that say who answers or what is asked.

    Raises:
        MalformedRequest: one of these, or a member inside one, has two values; or the body is nested deeply.
    """
    if not has_duplicate_members(body, document):
        return b""
    _check_depth(body)
    spans = Spans(body)
    given: dict[str, list[bytes]] = {}
    for name, _, start in spans.members(spans.top, deciding):
        given.setdefault(name, []).append(body[start : spans.end(start)])
    for name, values in given.items():
        _check_values(name, values)
    return b"\n" + body


def _check_depth(body: bytes) -> None:
    """Members that are not kept are nested within bounds, too: edits look at each."""
    try:
        json.loads(b"[" * _SPARE_LEVELS + body[body.index(b"{") :] + b"]" * _SPARE_LEVELS)
    except RecursionError:
        raise MalformedRequest("The body is nested too deeply.") from None


def _check_values(name: str, values: Sequence[bytes]) -> None:
    """Every reader finds the same under this name."""
    if len({canonical(orjson.loads(value)) for value in values}) > 1:
        raise MalformedRequest(f"'{name}' is given twice, with different values.", param=name)
    for value in values:
        try:
            json.loads(value, object_pairs_hook=_one_value_each)
        except _TwoValuesError:
            message = f"An object in '{name}' names a member twice, with different values."
            raise MalformedRequest(message, param=name) from None


class _TwoValuesError(Exception):
    """A member has two values; never leaves this module."""


def _one_value_each(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    members: JsonObject = {}
    for name, value in pairs:
        if name in members and canonical(members[name]) != canonical(value):
            raise _TwoValuesError
        members[name] = value
    return members
