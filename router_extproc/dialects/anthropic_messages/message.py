"""Message objects, the form in which an answer is kept: read, judged complete or not, made anew.

An object that is not understood in full, or is not the whole answer, becomes no answer. Content blocks of
any kind stay as they came, in their order: thinking with its signature among them.
Source: the Anthropic API reference, "Create a Message", the Message object; vLLM, AnthropicMessagesResponse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import uuid4

import orjson

from router_extproc.dialects.members import (
    NotUnderstoodError,
    a_list,
    a_string,
    an_integer,
    an_object,
    check_depth,
    optional_string,
    others,
)
from router_extproc.dialects.named_events import is_error
from router_extproc.llm.answer import (
    Answer,
    AnswerFacts,
    Choice,
    Incomplete,
    JsonObject,
    JsonValue,
    ToolCall,
    Usage,
)

#: Why the model stopped, where that is the whole answer, in the words of chat completions.
_FINISHED: Final = {"end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls"}
_CUT: Final = {"max_tokens": "length", "model_context_window_exceeded": "length", "refusal": "content_filter"}
#: Tokens of the prompt beside `input_tokens`: that a provider's prefix cache had, and that it has now.
_READ: Final = "cache_read_input_tokens"
_WRITTEN: Final = "cache_creation_input_tokens"
#: The members of a message that have a place of their own; the rest are kept behind them.
MESSAGE_MEMBERS: Final = frozenset(
    {"id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"}
)


def read_message(document: JsonObject) -> Answer | Incomplete:
    """The answer that a message object holds, or why it holds none."""
    if is_error(document):
        return Incomplete("error")
    try:
        message = normal_message(document)
    except NotUnderstoodError:
        return Incomplete("malformed")
    usage = _usage(message)
    blocks = [an_object(block) for block in a_list(message["content"])]
    reason = _incomplete_reason(message, blocks)
    if reason is not None:
        return Incomplete(reason, usage)
    finish = _FINISHED[a_string(message["stop_reason"])]
    choice = Choice(_text(blocks), finish, tuple(_calls(blocks)))
    facts = AnswerFacts(a_string(message["id"]), a_string(message["model"]), (choice,), usage)
    return Answer(facts, message)


def normal_message(document: JsonObject) -> JsonObject:
    """The message, checked, and its members in one order.

    Raises:
        NotUnderstoodError: it is not what the API prescribes.
    """
    check_depth(document)
    if document.get("role", "assistant") != "assistant":
        raise NotUnderstoodError
    content = [_normal_block(block) for block in a_list(document.get("content"))]
    return {
        "id": a_string(document.get("id")),
        "type": "message",
        "role": "assistant",
        "model": a_string(document.get("model")),
        "content": content,
        "stop_reason": optional_string(document.get("stop_reason")),
        "stop_sequence": optional_string(document.get("stop_sequence")),
        "usage": _normal_usage(document.get("usage")),
        **others(document, MESSAGE_MEMBERS),
    }


def restore(document: JsonObject) -> Answer:
    """See dialects.base.AnswerDialect."""
    answer = read_message(document)
    if isinstance(answer, Incomplete):
        raise ValueError(f"the document is no complete answer: {answer.reason}")  # noqa: TRY004 - what it holds
    return answer


def renew(answer: Answer) -> Answer:
    """The same answer with an id of its own; a message has no date."""
    identity = f"msg_{uuid4().hex}"
    return Answer(replace(answer.facts, id=identity), {**answer.document, "id": identity})


def mark_cached(answer: Answer) -> Answer:
    """See dialects.base.AnswerDialect; the API's `input_tokens` are those that no cache has."""
    usage = _usage(answer.document)
    counts = an_object(answer.document["usage"])
    counts |= {"input_tokens": 0, _WRITTEN: 0, _READ: usage.prompt_tokens}
    facts = replace(answer.facts, usage=replace(usage, cached_tokens=usage.prompt_tokens))
    return Answer(facts, {**answer.document, "usage": counts})


def compose(text: str, *, model: str) -> JsonObject:
    """The body of a pool that answers with this text; no model has counted a token of it."""
    block: JsonObject = {"type": "text", "text": text}
    return {
        "id": f"msg_{uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [block],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


# ── members ───────────────────────────────────────────────────────────────────────────────────


def _normal_block(block: JsonValue) -> JsonValue:
    """A block with a kind; the kinds that facts are made of have their members."""
    checked = an_object(block)
    match a_string(checked.get("type")):
        case "text":
            a_string(checked.get("text"))
        case "tool_use":
            a_string(checked.get("name"))
            checked["input"] = an_object(checked.get("input"))
    return checked


def _normal_usage(usage: JsonValue) -> JsonObject:
    counts = an_object(usage)
    an_integer(counts.get("input_tokens"))
    an_integer(counts.get("output_tokens"))
    return counts


def _usage(message: JsonObject) -> Usage:
    """All tokens of the prompt, those that were read from the provider's prefix cache among them."""
    counts = an_object(message["usage"])
    cached, written = _count(counts, _READ), _count(counts, _WRITTEN)
    prompt = an_integer(counts["input_tokens"]) + cached + written
    return Usage(prompt, an_integer(counts["output_tokens"]), cached)


def _count(counts: JsonObject, name: str) -> int:
    value = counts.get(name)
    return value if type(value) is int else 0


def _incomplete_reason(message: JsonObject, blocks: Sequence[JsonObject]) -> str | None:
    """Why it is not the whole answer; None when it is."""
    reason = message["stop_reason"]
    if reason is None:
        return "unfinished"
    if reason not in _FINISHED:
        return _CUT.get(str(reason), "finish_reason")
    return None if _says_something(blocks) else "empty"


def _says_something(blocks: Sequence[JsonObject]) -> bool:
    """Whether the client gets text, calls or media; thinking alone is nothing to show."""
    return any(
        bool(str(block["text"]).strip())
        if block["type"] == "text"
        else block["type"] not in {"thinking", "redacted_thinking"}
        for block in blocks
    )


def _text(blocks: Sequence[JsonObject]) -> str:
    return "".join(str(block["text"]) for block in blocks if block["type"] == "text")


def _calls(blocks: Sequence[JsonObject]) -> list[ToolCall]:
    return [
        ToolCall(str(block["name"]), orjson.dumps(block["input"]).decode())
        for block in blocks
        if block["type"] == "tool_use"
    ]
