"""Reads answers that were stored or exported before dialects kept their own documents.

They hold the fields of a neutral answer, from which the chat completion object is put together again.
"""

from __future__ import annotations

from router_extproc.dialects.members import a_list, a_string, an_object
from router_extproc.dialects.openai_chat.completion import CALL_MEMBERS, LEGACY_CALL
from router_extproc.llm.answer import JsonObject, JsonValue


def is_v1(document: JsonObject) -> bool:
    """Whether the document is of that form; a chat completion object names its kind."""
    return "object" not in document and "created_s" in document


def completion_of_v1(document: JsonObject) -> JsonObject:
    """The chat completion object.

    Raises:
        NotUnderstoodError: it is damaged.
    """
    return {
        "id": document.get("id"),
        "object": "chat.completion",
        "created": document.get("created_s"),
        "model": document.get("model"),
        "choices": [_choice(an_object(choice)) for choice in a_list(document.get("choices"))],
        **an_object(document.get("extra")),
        **_usage(document.get("usage")),
    }


def _choice(choice: JsonObject) -> JsonValue:
    return {
        "index": choice.get("index"),
        "message": _message(choice),
        "finish_reason": choice.get("finish_reason"),
        **an_object(choice.get("choice_extra")),
    }


def _message(choice: JsonObject) -> JsonObject:
    message: JsonObject = {"role": "assistant", "content": choice.get("content")}
    if choice.get("reasoning") is not None:
        message[a_string(choice.get("reasoning_field"))] = choice["reasoning"]
    if choice.get("refusal") is not None:
        message["refusal"] = choice["refusal"]
    calls = [an_object(call) for call in a_list(choice.get("tool_calls"))]
    if modern := [_call(call) for call in calls if call.get("kind") != LEGACY_CALL]:
        message["tool_calls"] = [*modern]
    for call in calls:
        if call.get("kind") == LEGACY_CALL:
            extra = an_object(call.get("extra"))
            message[LEGACY_CALL] = {"name": call.get("name"), "arguments": call.get("arguments"), **extra}
    return {**message, **an_object(choice.get("message_extra"))}


def _call(call: JsonObject) -> JsonObject:
    """One tool call; what its kind held beside name and text stands in `extra` under the kind."""
    kind, extra = a_string(call.get("kind")), an_object(call.get("extra"))
    name_member, text_member = CALL_MEMBERS.get(kind, ("name", "arguments"))
    rest = extra.pop(kind, {})
    body = {name_member: call.get("name"), text_member: call.get("arguments"), **an_object(rest)}
    return {"id": call.get("id"), "type": kind, kind: body, **extra}


def _usage(usage: JsonValue) -> JsonObject:
    """The member with the pool's own object; whether the pool was asked for it was not stored."""
    return {} if usage is None else {"usage": an_object(an_object(usage).get("original"))}
