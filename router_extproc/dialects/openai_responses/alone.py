"""Which requests of the Responses API have an answer that is theirs alone, and why.

The API keeps state: what a server remembers is part of the question, and what it keeps of an answer is
asked for by the answer's id later on. The cache knows neither.
Source: the OpenAI API reference, "Create a model response", "Conversation state", "Background mode".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from router_extproc.dialects.openai_responses.items import REFERENCE, REMEMBERED, Item
from router_extproc.dialects.scalars import boolean, is_one_of, is_true
from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.request import AloneReason

#: Kinds of tools that the client runs itself, so that asking a model does nothing in the world. Any other
#: kind, one of the future too, may be run by the provider.
_RUN_BY_CLIENT: Final = frozenset(
    {
        "function", "custom", "namespace", "apply_patch", "local_shell", "computer", "computer_use_preview",
        "tool_search",
    }
)  # fmt: skip


def why_alone(document: JsonObject, items: Sequence[Item]) -> AloneReason | None:
    """Why no other request may share the answer; None: one may."""
    if any(document.get(name) is not None for name in REMEMBERED) or is_true(document.get("background")):
        return "server-state"
    if any(item.kind == REFERENCE for item in items):
        return "server-state"
    if _offers_server_tools(document.get("tools")):
        return "server-tools"
    # Left out, it means true: the client may go on from the answer by its id, which only its pool knows.
    return None if boolean(document.get("store")) is False else "kept-answer"


def _offers_server_tools(tools: JsonValue) -> bool:
    offered = tools if type(tools) is list else []
    return any(type(tool) is dict and not is_one_of(tool.get("type"), _RUN_BY_CLIENT) for tool in offered)
