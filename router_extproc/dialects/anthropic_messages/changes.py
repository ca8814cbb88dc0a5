"""A decision's changes as edits of a Messages request.

The API takes no members that it does not know, so parameters of other APIs are not added.
Source: the Anthropic API reference, "Create a Message" and "Extended thinking".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

from router_extproc.dialects.anthropic_messages.shapes import BODY
from router_extproc.dialects.parameters import Vocabulary, parameter_edits
from router_extproc.dialects.scalars import integer
from router_extproc.dialects.system_prompt import SystemText, surround
from router_extproc.llm.answer import JsonObject
from router_extproc.llm.changes import Effort, ReasoningChange, ReplaceSystemPrompt, RequestChanges
from router_extproc.llm.edits import Edit, Set
from router_extproc.llm.reasoning import FAMILIES

_LENGTH: Final = ("max_tokens",)
VOCABULARY: Final = Vocabulary(
    names=dict.fromkeys(("max_tokens", "max_completion_tokens", "max_output_tokens"), _LENGTH),
    taken={"max_tokens": math.inf, "temperature": 1.0, "top_p": 1.0},
    known=frozenset(BODY),
    required=frozenset(_LENGTH),
)
#: Tokens of thinking, which the API wants as a number: the least that it takes, and more.
BUDGETS: Final[Mapping[Effort | None, int]] = {"low": 1024, "medium": 4096, "high": 16_384, None: 4096}
_LEAST_BUDGET: Final = 1024


def edits_for(document: JsonObject, changes: RequestChanges, family: str | None) -> list[Edit]:
    """See dialects.base.RequestDialect.edits; `document` is what `parse` read."""
    edits = parameter_edits(document, changes.parameters, VOCABULARY)
    if changes.reasoning is not None and family in FAMILIES:
        edits = [*_reasoning_edits(document, changes.reasoning), *edits]
    match changes.system_prompt:
        case None:
            return edits
        case ReplaceSystemPrompt(text=text):
            return [Set(("system",), text), *edits]
        case change:
            place = SystemText(("system",), document.get("system"))
            return [*surround(change, place, place), *edits]


def _reasoning_edits(document: JsonObject, change: ReasoningChange) -> Iterator[Edit]:
    if document.get("thinking") is not None and not change.force:
        return
    if not change.on:
        yield Set(("thinking",), {"type": "disabled"})
        return
    most = integer(document.get("max_tokens"))
    # Thinking is part of the answer's tokens, and leaves some for the answer.
    room = most - 1 if most is not None else _LEAST_BUDGET
    if room >= _LEAST_BUDGET:
        budget = min(BUDGETS[change.effort], room)
        yield Set(("thinking",), {"type": "enabled", "budget_tokens": budget})
