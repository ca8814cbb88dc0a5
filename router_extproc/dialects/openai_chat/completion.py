"""The normal form of a chat completion object: checked, and its members in one order.

Streamed or not, the same answer has the same form, so a replay is the same to the byte whichever way the
answer came. Members that are not known stay as they came, behind the known ones. Harmless oddities of pools
(content as a list of text parts, a fractional date, a choice without its place) are written as prescribed.
Source: the OpenAI API reference, "The chat completion object"; vLLM, ChatCompletionResponse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.dialects.members import (
    NotUnderstoodError,
    a_list,
    a_string,
    an_integer,
    an_object,
    optional_string,
    others,
)
from router_extproc.dialects.openai_objects import normal_object
from router_extproc.llm.answer import JsonObject, JsonValue

#: Where each kind of tool call keeps its name and the model's text.
CALL_MEMBERS: Final[Mapping[str, tuple[str, str]]] = {
    "function": ("name", "arguments"),
    "custom": ("name", "input"),
}
#: The one call of the older form.
LEGACY_CALL: Final = "function_call"
#: The first that holds text is the reasoning, another one beside it is kept as it came.
REASONING_FIELDS: Final = ("reasoning_content", "reasoning")
#: The members of a choice that have a place of their own.
CHOICE_MEMBERS: Final = frozenset({"index", "message", "finish_reason"})
#: Belong to events alone.
_EVENT_MEMBERS: Final = frozenset({"obfuscation", "delta"})


def normal_completion(document: JsonObject) -> JsonObject:
    """The completion in its normal form.

    A usage of null says that the pool tells none; where the member is missing, nobody has asked the pool.

    Raises:
        NotUnderstoodError: it is not what the API prescribes.
    """
    return normal_object(document, "chat.completion", _normal_choice, left_out=_EVENT_MEMBERS)


def _normal_choice(original: JsonObject, place: int) -> JsonObject:
    """One alternative; `place`: in the list, which is its index unless it says another."""
    index = original.get("index")
    return {
        "index": place if index is None else an_integer(index),
        "message": _normal_message(an_object(original.get("message"))),
        "finish_reason": optional_string(original.get("finish_reason")),
        **others(original, CHOICE_MEMBERS | _EVENT_MEMBERS),
    }


def _normal_message(left: JsonObject) -> JsonObject:
    """The message of one choice; what is `left` of the original is taken out member by member."""
    message: JsonObject = {"role": "assistant", "content": content_text(left.pop("content", None))}
    # Only a field that holds text is taken out: a null stays where it is and is replayed as null.
    for name in (reasoning_field(left), "refusal"):
        if left.get(name) is not None:
            message[name] = a_string(left.pop(name))
    # An empty list or null stays, too.
    if left.get("tool_calls"):
        message["tool_calls"] = [_normal_call(an_object(call)) for call in a_list(left.pop("tool_calls"))]
    if left.get(LEGACY_CALL) is not None:
        call = an_object(left.pop(LEGACY_CALL))
        name, arguments = a_string(call.pop("name", None)), a_string(call.pop("arguments", ""))
        message[LEGACY_CALL] = {"name": name, "arguments": arguments, **call}
    return {**message, **left}


def content_text(content: JsonValue) -> str | None:
    """The content as text: some pools send a list of text parts, or an empty list for none.

    Raises:
        NotUnderstoodError: it holds anything but text.
    """
    if type(content) is not list:
        return optional_string(content)
    return "".join(_part_text(part) for part in content) if content else None


def _part_text(part: JsonValue) -> str:
    if type(part) is dict and part.get("type") == "text":
        return a_string(part.get("text"))
    return a_string(part)


def reasoning_field(message: JsonObject) -> str:
    """The member that carries the reasoning; the usual one where there is none."""
    return next((name for name in REASONING_FIELDS if message.get(name) is not None), REASONING_FIELDS[0])


def _normal_call(call: JsonObject) -> JsonObject:
    """One tool call. A call of a function without parameters may leave its arguments out."""
    kind = a_string(call.pop("type", "function"))
    if kind not in CALL_MEMBERS:
        raise NotUnderstoodError
    name_member, text_member = CALL_MEMBERS[kind]
    body = an_object(call.pop(kind, None))
    name, text = a_string(body.pop(name_member, None)), a_string(body.pop(text_member, ""))
    identity = a_string(call.pop("id", None))
    return {"id": identity, "type": kind, kind: {name_member: name, text_member: text, **body}, **call}
