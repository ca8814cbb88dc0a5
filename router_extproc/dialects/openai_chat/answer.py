"""Between the chat completion object and the neutral answer, both ways and without loss.

It is not a stream: `assemble` makes the same object out of events. The rule it keeps: an object that
is not understood in full, or is not the whole answer, becomes no answer.
Source: the OpenAI API reference, "The chat completion object"; vLLM, ChatCompletionResponse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.dialects.json_body import JsonObject
from router_extproc.dialects.members import (
    NotUnderstoodError,
    a_list,
    a_string,
    an_integer,
    an_object,
    check_depth,
    is_integer,
    optional_string,
    others,
)
from router_extproc.llm.answer import Answer, Choice, Incomplete, JsonValue, ToolCall, Usage

#: Every reason that this dialect gives for an answer that is not stored.
INCOMPLETE_REASONS: Final = frozenset(
    {
        "too_large",  # more bytes than the reader may keep
        "cut_off",  # the stream ended before its terminal event
        "malformed",  # not what the API prescribes
        "error",  # the pool reported an error inside a 200
        "no_choices",  # no alternative at all
        "unfinished",  # a choice without finish reason
        "length",  # the model was stopped by a token limit
        "content_filter",  # the pool left something out
        "finish_reason",  # stopped for any other reason
        "content_type",  # neither JSON nor SSE
    }
)

#: Where each kind of tool call keeps its name and the model's text.
_CALL_MEMBERS: Final[Mapping[str, tuple[str, str]]] = {
    "function": ("name", "arguments"),
    "custom": ("name", "input"),
}
_LEGACY_CALL: Final = "function_call"
_REASONING_FIELDS: Final = ("reasoning_content", "reasoning")
#: `object` tells the two forms apart, `obfuscation` and `delta` belong to events alone.
_ANSWER_MEMBERS: Final = frozenset({"id", "object", "created", "model", "choices", "usage", "obfuscation"})
_CHOICE_MEMBERS: Final = frozenset({"index", "message", "finish_reason", "delta"})


def read_completion(document: JsonObject) -> Answer | Incomplete:
    """The answer that a chat completion object holds, or why it holds none."""
    if document.get("error") is not None or document.get("object") == "error":
        return Incomplete("error")
    try:
        answer = _read_answer(document)
    except NotUnderstoodError:
        return Incomplete("malformed")
    reason = _incomplete_reason(answer)
    return Incomplete(reason, answer.usage) if reason else answer


def _incomplete_reason(answer: Answer) -> str | None:
    """Why the choices are not the whole answer; None when they are."""
    if not answer.choices:
        return "no_choices"
    return next((reason for choice in answer.choices if (reason := _choice_reason(choice))), None)


def _choice_reason(choice: Choice) -> str | None:
    """Why this choice is not whole; None when it is."""
    match choice.finish_reason:
        case "stop":
            return None
        case None:
            return "unfinished"
        case "tool_calls" | "function_call" if choice.tool_calls:
            return None
        case "length" | "content_filter" as reason:
            return reason
        case _:
            return "finish_reason"


def _read_answer(document: JsonObject) -> Answer:
    """Every member in its field, the rest in `extra`."""
    check_depth(document)
    choices = tuple(_read_choice(an_object(choice)) for choice in a_list(document.get("choices")))
    ordered = tuple(sorted(choices, key=lambda choice: choice.index))
    if [choice.index for choice in ordered] != list(range(len(ordered))):
        raise NotUnderstoodError
    return Answer(
        id=a_string(document.get("id")),
        model=a_string(document.get("model")),
        created_s=an_integer(document.get("created")),
        choices=ordered,
        usage=_read_usage(document.get("usage")),
        extra=others(document, _ANSWER_MEMBERS),
    )


def _read_choice(original: JsonObject) -> Choice:
    """One alternative."""
    message = an_object(original.get("message"))
    content = message.pop("content", None)
    # Only a field that holds text is taken out: a null stays where it is and is replayed as null.
    refusal = message.pop("refusal") if message.get("refusal") is not None else None
    reasoning_field = next((name for name in _REASONING_FIELDS if message.get(name) is not None), None)
    reasoning = message.pop(reasoning_field) if reasoning_field else None
    tool_calls = _take_tool_calls(message)
    if message.get("role") == "assistant":
        del message["role"]
    return Choice(
        index=an_integer(original.get("index")),
        content=optional_string(content),
        finish_reason=optional_string(original.get("finish_reason")),
        tool_calls=tool_calls,
        reasoning=optional_string(reasoning),
        reasoning_field=reasoning_field or _REASONING_FIELDS[0],
        refusal=optional_string(refusal),
        message_extra=message,
        choice_extra=others(original, _CHOICE_MEMBERS),
    )


def _take_tool_calls(message: JsonObject) -> tuple[ToolCall, ...]:
    """Take the calls out of the message, of both forms; an empty list or null stays."""
    calls: list[ToolCall] = []
    if message.get("tool_calls"):
        calls += [_read_tool_call(an_object(call)) for call in a_list(message.pop("tool_calls"))]
    if message.get(_LEGACY_CALL) is not None:
        legacy = an_object(message.pop(_LEGACY_CALL))
        name, arguments = a_string(legacy.pop("name", None)), a_string(legacy.pop("arguments", ""))
        calls.append(ToolCall("", name, arguments, _LEGACY_CALL, legacy))
    return tuple(calls)


def _read_tool_call(call: JsonObject) -> ToolCall:
    """One call; what its kind keeps beside name and text goes into `extra` under the kind.

    A call of a function without parameters may leave its arguments out.
    """
    kind = a_string(call.pop("type", "function"))
    if kind not in _CALL_MEMBERS:
        raise NotUnderstoodError
    name_member, text_member = _CALL_MEMBERS[kind]
    body = an_object(call.pop(kind, None))
    name, text = a_string(body.pop(name_member, None)), a_string(body.pop(text_member, ""))
    identity = a_string(call.pop("id", None))
    return ToolCall(identity, name, text, kind, {**call, kind: body} if body else call)


def _read_usage(original: JsonValue) -> Usage | None:
    """The token counts; null or none at all is no usage."""
    if original is None:
        return None
    usage = an_object(original)
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if type(details) is dict else None
    return Usage(
        prompt_tokens=an_integer(usage.get("prompt_tokens")),
        completion_tokens=an_integer(usage.get("completion_tokens", 0)),
        cached_tokens=cached if is_integer(cached) else 0,
        original=usage,
    )


def write_message(choice: Choice) -> JsonObject:
    """The message object of one choice."""
    message: JsonObject = {"role": "assistant", "content": choice.content}
    if choice.reasoning is not None:
        message[choice.reasoning_field] = choice.reasoning
    if choice.refusal is not None:
        message["refusal"] = choice.refusal
    calls = [write_tool_call(call) for call in choice.tool_calls if call.kind != _LEGACY_CALL]
    if calls:
        message["tool_calls"] = [*calls]
    for call in choice.tool_calls:
        if call.kind == _LEGACY_CALL:
            message[_LEGACY_CALL] = {"name": call.name, "arguments": call.arguments, **call.extra}
    return {**message, **choice.message_extra}


def write_tool_call(call: ToolCall) -> JsonObject:
    """The object of one tool call."""
    name_member, text_member = _CALL_MEMBERS[call.kind]
    rest = call.extra.get(call.kind)
    body: JsonObject = {name_member: call.name, text_member: call.arguments}
    extra = {name: value for name, value in call.extra.items() if name != call.kind}
    return {
        "id": call.id,
        "type": call.kind,
        call.kind: {**body, **(rest if isinstance(rest, Mapping) else {})},
        **extra,
    }


def write_usage(usage: Usage) -> JsonObject:
    """The pool's own object; made from the counts where an answer comes from elsewhere."""
    return dict(usage.original) or {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
