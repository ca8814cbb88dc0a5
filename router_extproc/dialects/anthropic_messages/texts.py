"""The texts of a Messages request: every string that a pool or its model may read as text.

Thinking counts as text, and its signature does not: where an earlier answer's thinking comes back with the
values that were put into it, it becomes what the pool has signed again.
Source: the Anthropic API reference, "Create a Message", content blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.dialects.base import BodyText, TextPart
from router_extproc.dialects.json_strings import Names
from router_extproc.dialects.texts import MESSAGES, StringForm, TextRules, find_texts

_CONTENT: Final = (MESSAGES, "content")
#: Members of a content block, also of one in a tool result, that are no text.
_NO_TEXTS: Final = frozenset(
    {"type", "id", "name", "tool_use_id", "signature", "data", "media_type", "file_id", "url"}
)
#: Members whose own members are all a client's: the input of a call.
_INPUT: Final = "input"
#: Of a document: its text, or its bytes coded.
_SOURCE: Final = ("source", "data")
_CONTROL: Final = frozenset(
    {
        ("model",),
        ("service_tier",),
        (MESSAGES, "role"),
        ("tools", "name"),
        ("tools", "type"),
        ("system", "type"),
    }
)


def texts_of(body: bytes) -> Iterator[BodyText]:
    """See dialects.base.RequestDialect.texts."""
    return find_texts(body, _RULES)


def _form(names: Names) -> StringForm:
    if names in _CONTROL or names[:1] == ("tool_choice",):
        return "none"
    if names[:2] != _CONTENT or _INPUT in names[2:3]:
        return "text"
    if names[-2:] == _SOURCE:
        return "uncoded"
    return "none" if len(names) > len(_CONTENT) and names[-1] in _NO_TEXTS else "text"


def _part(names: Names, role: TextPart) -> TextPart:
    """Tool results stand in user messages: their content is a block's own member."""
    if names[:2] != _CONTENT or len(names) == len(_CONTENT):
        return role
    if names[2] == _INPUT:
        return "tool_calls"
    return "tool" if names[2] == "content" else role


_RULES: Final = TextRules(_form, _part, {"user": "user", "assistant": "assistant", "system": "system"})
