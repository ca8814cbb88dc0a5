"""A decision's changes as edits of a Responses request.

The system prompt is `instructions`, and the messages of the role system or developer that the input begins
with. The API takes no members that it does not know, so parameters of other APIs are not added; those that
vLLM reads in every API are.
Source: the OpenAI API reference, "Create a model response"; vLLM, ResponsesRequest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from router_extproc.dialects.openai_responses.items import SYSTEM_ROLES
from router_extproc.dialects.openai_responses.shapes import BODY
from router_extproc.dialects.parameters import Vocabulary, parameter_edits
from router_extproc.dialects.reasoning import reasoning_edits
from router_extproc.dialects.scalars import is_one_of
from router_extproc.dialects.system_prompt import SystemText, surround
from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.changes import (
    ReplaceSystemPrompt,
    RequestChanges,
    SurroundSystemPrompt,
    SystemPromptChange,
)
from router_extproc.llm.edits import Edit, RemoveItems, Set

_INPUT: Final = "input"
_INSTRUCTIONS: Final = "instructions"
_LENGTH: Final = ("max_output_tokens",)
#: Members that no API of OpenAI's knows: who adds one has a pool that does.
_OF_VLLM: Final = frozenset(
    {"chat_template_kwargs", "min_p", "priority", "repetition_penalty", "structured_outputs", "top_k"}
)
VOCABULARY: Final = Vocabulary(
    names=dict.fromkeys(("max_tokens", "max_completion_tokens", *_LENGTH), _LENGTH),
    # A pool fills the rest of its context; the others are what the API documents.
    taken={"max_output_tokens": math.inf, "temperature": 1.0, "top_p": 1.0},
    known=frozenset(BODY) | _OF_VLLM,
)
_EFFORT: Final = ("reasoning", "effort")


def edits_for(document: JsonObject, changes: RequestChanges, family: str | None) -> list[Edit]:
    """See dialects.base.RequestDialect.edits; `document` is what `parse` read."""
    edits = parameter_edits(document, changes.parameters, VOCABULARY)
    if changes.reasoning is not None:
        edits = [*reasoning_edits(document, changes.reasoning, family, effort=_EFFORT), *edits]
    if changes.system_prompt is not None:
        edits = [*_system_edits(document, changes.system_prompt), *edits]
    return edits


def _system_edits(document: JsonObject, change: SystemPromptChange) -> Iterator[Edit]:
    given = document.get(_INPUT)
    items = given if type(given) is list else []
    match change:
        case ReplaceSystemPrompt(text=text):
            yield Set((_INSTRUCTIONS,), text)
            others = frozenset(place for place, item in enumerate(items) if _is_system(item))
            if others:
                yield RemoveItems((_INPUT,), others)
        case surrounding:
            yield from _surround(document, items, surrounding)


def _surround(
    document: JsonObject, items: Sequence[JsonValue], change: SurroundSystemPrompt
) -> Iterator[Edit]:
    """In front of the instructions, which a model reads first, and behind all of the system prompt."""
    first = SystemText((_INSTRUCTIONS,), document.get(_INSTRUCTIONS))
    leading = [item for item in takewhile(_is_system, items) if type(item) is dict]
    if not leading:
        yield from surround(change, first, first)
        return
    path = (_INPUT, len(leading) - 1, "content")
    last = SystemText(path, leading[-1].get("content"), part="input_text")
    yield from surround(change, first, last)


def _is_system(item: JsonValue) -> bool:
    if type(item) is not dict or item.get("type") not in ("message", None):
        return False
    return is_one_of(item.get("role"), SYSTEM_ROLES)
