"""Merges what the events of a stream say of one choice beside its text.

Source: the OpenAI API reference, "The chat completion chunk object"; vLLM, ChatCompletionStreamResponse.
"""

from __future__ import annotations

from typing import Final

from router_extproc.dialects.members import NotUnderstoodError
from router_extproc.llm.answer import JsonObject, JsonValue

#: Objects are merged to this depth, deeper ones are taken whole.
MERGE_DEPTH: Final = 4


def first_finish(held: JsonValue, value: JsonValue) -> JsonValue:
    """Why the choice ended, said once or the same again; null and "" say nothing yet.

    Raises:
        NotUnderstoodError: it ended in two ways.
    """
    if value is None or value == "":
        return held
    if held is not None and held != value:
        raise NotUnderstoodError
    return value


def add_whole(members: JsonObject, name: str, value: JsonValue, depth: int = MERGE_DEPTH) -> None:
    """Merge one member of a choice: lists grow, objects merge by member, anything else is replaced."""
    held = members.get(name)
    if value is None:
        members.setdefault(name, None)
    elif type(value) is list and type(held) is list:
        held.extend(value)
    elif type(value) is dict and type(held) is dict and depth:
        for inner, inner_value in value.items():
            add_whole(held, inner, inner_value, depth - 1)
    else:
        members[name] = value
