"""The texts of a Responses request: every string that a pool or its model may read as text.

Reasoning counts as text, and its encrypted form does not: only its provider reads it.
Source: the OpenAI API reference, "Create a model response"; vLLM, ResponsesRequest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from router_extproc.dialects.base import BodyText, TextPart
from router_extproc.dialects.json_strings import Names
from router_extproc.dialects.openai_responses.items import NO_TEXTS
from router_extproc.dialects.texts import StringForm, TextRules, find_texts

_INPUT: Final = "input"
#: Members whose own members are a client's or a model's: names there are no names of the API.
_FREE: Final = frozenset({"action", "actions", "arguments", "operation", "output", "results"})
#: Of those, media that tools return as parts.
_MEDIA: Final = frozenset({"image_url", "file_data", "file_id", "data"})
_CONTROL: Final = frozenset(
    {
        ("background",),
        ("cache_salt",),
        ("conversation",),
        ("conversation", "id"),
        ("include",),
        ("model",),
        ("previous_response_id",),
        ("prompt", "id"),
        ("prompt", "version"),
        ("reasoning", "effort"),
        ("reasoning", "summary"),
        ("reasoning", "generate_summary"),
        ("request_id",),
        ("service_tier",),
        ("text", "format", "name"),
        ("text", "format", "type"),
        ("text", "verbosity"),
        ("tools", "name"),
        ("tools", "type"),
        ("truncation",),
    }
)


def texts_of(body: bytes) -> Iterator[BodyText]:
    """See dialects.base.RequestDialect.texts."""
    return find_texts(body, _RULES)


def _form(names: Names) -> StringForm:
    if names in _CONTROL or names[:1] == ("tool_choice",):
        return "none"
    if names[:1] != (_INPUT,) or len(names) == 1:
        return "text"
    if names == (_INPUT, "arguments"):
        return "json"
    if names[1] in _FREE:
        return "none" if names[1] == "output" and names[-1] in _MEDIA | {"type"} else "text"
    return "none" if names[-1] in NO_TEXTS else "text"


def _part(names: Names, role: TextPart) -> TextPart:
    if len(names) == 1:
        return "user"
    # Where a provider ran the tool, the call holds what it returned.
    returned = role == "tool_calls" and names[1] in {"output", "outputs", "results"}
    return "tool" if returned else role


def part_of_item(kind: str) -> TextPart:
    """Whose texts an item holds that is no message."""
    if kind.endswith("_call"):
        return "tool_calls"
    return "assistant" if kind == "reasoning" else "tool"


_ROLES: Final[Mapping[str, TextPart]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_RULES: Final = TextRules(_form, _part, _ROLES, frozenset({_INPUT}), part_of_item)
