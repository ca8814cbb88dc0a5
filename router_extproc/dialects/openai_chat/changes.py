"""A decision's changes as edits of a chat completion request.

The system prompt is the messages of the role system or developer that the conversation begins with.
Sources: the OpenAI API reference, "Create chat completion"; vLLM, ChatCompletionRequest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from router_extproc.dialects.openai_chat.request import SYSTEM_ROLES
from router_extproc.dialects.parameters import Vocabulary, parameter_edits
from router_extproc.dialects.reasoning import reasoning_edits
from router_extproc.dialects.scalars import is_one_of
from router_extproc.dialects.system_prompt import SystemText, surround, whole_text
from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.changes import (
    ReplaceSystemPrompt,
    RequestChanges,
    SurroundSystemPrompt,
    SystemPromptChange,
)
from router_extproc.llm.edits import Edit, PrependItem, RemoveItems, Set

_LENGTH: Final = ("max_tokens", "max_completion_tokens")
VOCABULARY: Final = Vocabulary(
    # The last is how the Responses API says it.
    names=dict.fromkeys((*_LENGTH, "max_output_tokens"), _LENGTH),
    # A pool fills the rest of its context; the others are what the API documents.
    taken={"max_tokens": math.inf, "temperature": 1.0, "top_p": 1.0},
)
_EFFORT: Final = ("reasoning_effort",)


def edits_for(document: JsonObject, changes: RequestChanges, family: str | None) -> list[Edit]:
    """See dialects.base.RequestDialect.changes; `document` is what `parse` read."""
    edits = parameter_edits(document, changes.parameters, VOCABULARY)
    if changes.reasoning is not None:
        edits = [*reasoning_edits(document, changes.reasoning, family, effort=_EFFORT), *edits]
    if changes.system_prompt is not None:
        edits = [*_system_edits(_messages(document), changes.system_prompt), *edits]
    return edits


# ── system prompt ─────────────────────────────────────────────────────────────────────────────


def _messages(document: JsonObject) -> list[JsonObject]:
    messages = document["messages"]
    return [each for each in messages if isinstance(each, dict)] if isinstance(messages, list) else []


def _system_edits(messages: Sequence[JsonObject], change: SystemPromptChange) -> Iterator[Edit]:
    match change:
        case ReplaceSystemPrompt(text=text):
            yield from _replace(messages, text)
        case SurroundSystemPrompt():
            yield from _surround(messages, change)


def _replace(messages: Sequence[JsonObject], text: str) -> Iterator[Edit]:
    """The first message says it, and no other of the client's system messages stays, wherever it is."""
    if not _is_system(messages[0]):
        yield PrependItem(("messages",), _system_message(text))
    else:
        yield Set(("messages", 0, "content"), text)
    others = frozenset(place for place, each in enumerate(messages) if place and _is_system(each))
    if others:
        # Behind a message that was put in front, each of them is one place further on.
        moved = 0 if _is_system(messages[0]) else 1
        yield RemoveItems(("messages",), frozenset(place + moved for place in others))


def _surround(messages: Sequence[JsonObject], change: SurroundSystemPrompt) -> Iterator[Edit]:
    last = _leading(messages) - 1
    if last < 0:
        yield PrependItem(("messages",), _system_message(whole_text(change)))
    else:
        yield from surround(change, _text_at(messages, 0), _text_at(messages, last))


def _text_at(messages: Sequence[JsonObject], place: int) -> SystemText:
    return SystemText(("messages", place, "content"), messages[place].get("content"))


def _leading(messages: Sequence[JsonObject]) -> int:
    """How many messages the system prompt has."""
    others = (place for place, each in enumerate(messages) if not _is_system(each))
    return next(others, len(messages))


def _is_system(message: JsonObject) -> bool:
    return is_one_of(message.get("role"), SYSTEM_ROLES)


def _system_message(text: str) -> JsonValue:
    return {"role": "system", "content": text}
