"""Chat completion objects, the form in which an answer is kept: read, judged complete or not, made anew.

An object that is not understood in full, or is not the whole answer, becomes no answer.
Source: the OpenAI API reference, "The chat completion object"; vLLM, ChatCompletionResponse.
"""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from router_extproc.dialects.members import (
    NotUnderstoodError,
    a_list,
    a_string,
    an_object,
)
from router_extproc.dialects.openai_chat.completion import CALL_MEMBERS, LEGACY_CALL, normal_completion
from router_extproc.dialects.openai_chat.stored_v1 import completion_of_v1, is_v1
from router_extproc.dialects.openai_objects import is_error, usage_of
from router_extproc.llm.answer import (
    Answer,
    AnswerFacts,
    Choice,
    Incomplete,
    JsonObject,
    JsonValue,
    ToolCall,
)

#: Members of a message that hold what is said or shown without text.
_MEDIA: Final = ("audio", "images")


def read_unstreamed(document: JsonObject) -> Answer | Incomplete:
    """The answer that a pool sent as one object; without usage it says that the pool tells none."""
    return read_completion({**document, "usage": document.get("usage")})


def read_completion(document: JsonObject) -> Answer | Incomplete:
    """The answer that a chat completion object holds, or why it holds none."""
    if is_error(document):
        return Incomplete("error")
    try:
        completion = normal_completion(document)
    except NotUnderstoodError:
        return Incomplete("malformed")
    choices = _objects(completion["choices"])
    usage = usage_of(completion)
    reason = _incomplete_reason(choices)
    if reason is not None:
        return Incomplete(reason, usage)
    identity, model = a_string(completion["id"]), a_string(completion["model"])
    said = tuple(_choice(choice) for choice in choices)
    return Answer(AnswerFacts(identity, model, said, usage, "usage" in completion), completion)


def restore(document: JsonObject) -> Answer:
    """See dialects.base.AnswerDialect."""
    try:
        answer = read_completion(completion_of_v1(document) if is_v1(document) else document)
    except NotUnderstoodError:
        answer = Incomplete("malformed")
    if isinstance(answer, Incomplete):
        raise ValueError(f"the document is no complete answer: {answer.reason}")  # noqa: TRY004 - what it holds
    return answer


def compose(text: str, *, model: str, now_s: float) -> JsonObject:
    """See dialects.base.AnswerDialect."""
    message: JsonValue = {"role": "assistant", "content": text}
    return {
        "id": f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion",
        "created": int(now_s),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": None,
    }


# ── complete or not ───────────────────────────────────────────────────────────────────────────


def _incomplete_reason(choices: list[JsonObject]) -> str | None:
    """Why the choices are not the whole answer; None when they are."""
    if not choices:
        return "no_choices"
    return next((reason for choice in choices if (reason := _choice_reason(choice))), None)


def _choice_reason(choice: JsonObject) -> str | None:
    """Why this choice is not whole; None when it is."""
    message = an_object(choice["message"])
    match choice["finish_reason"]:
        case "stop":
            return None if _says_something(message) else "empty"
        case None | "":
            return "unfinished"
        case "tool_calls" | "function_call" if _calls(message):
            return None
        case "length" | "content_filter" as reason:
            return str(reason)
        case _:
            return "finish_reason"


def _says_something(message: JsonObject) -> bool:
    """Whether the client gets text, calls or media; reasoning alone is nothing to show."""
    texts = (message["content"], message.get("refusal"))
    if any(isinstance(text, str) and text.strip() for text in texts):
        return True
    return bool(_calls(message)) or any(message.get(name) for name in _MEDIA)


# ── the facts of a completion in its normal form ──────────────────────────────────────────────


def _choice(choice: JsonObject) -> Choice:
    message = an_object(choice["message"])
    content = message["content"]
    text = content if isinstance(content, str) else ""
    return Choice(text, a_string(choice["finish_reason"]), _calls(message))


def _calls(message: JsonObject) -> tuple[ToolCall, ...]:
    """The calls of both forms; the older form has one call alone."""
    calls = [_call(call) for call in _objects(message.get("tool_calls") or [])]
    if message.get(LEGACY_CALL) is not None:
        legacy = an_object(message[LEGACY_CALL])
        calls.append(ToolCall(a_string(legacy["name"]), a_string(legacy["arguments"])))
    return tuple(calls)


def _call(call: JsonObject) -> ToolCall:
    kind = a_string(call["type"])
    name_member, text_member = CALL_MEMBERS[kind]
    body = an_object(call[kind])
    return ToolCall(a_string(body[name_member]), a_string(body[text_member]))


def _objects(value: JsonValue) -> list[JsonObject]:
    return [an_object(element) for element in a_list(value)]
