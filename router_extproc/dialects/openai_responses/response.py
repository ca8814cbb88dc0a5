"""Response objects, the form in which an answer is kept: read, judged complete or not, made anew.

An object that is not understood in full, or is not the whole answer, becomes no answer. Items of any kind
stay as they came, in their order. What an object only repeats of its request is not kept: each request that
gets it has its own.
Source: the OpenAI API reference, "The response object"; vLLM, ResponsesResponse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
)
from router_extproc.dialects.named_events import is_error
from router_extproc.dialects.openai_objects import detail
from router_extproc.dialects.openai_responses.items import NO_TEXTS
from router_extproc.dialects.scalars import is_one_of
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

#: What an object repeats of its request that is in no key of the cache: to be said of the request at hand.
ECHOED: Final = (
    "instructions", "metadata", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "store",
    "user",
)  # fmt: skip
COMPLETED: Final = "completed"
#: Why an answer is not the whole one, in the words of chat completions.
_CUT: Final = {"max_output_tokens": "length", "content_filter": "content_filter"}
_UNFINISHED: Final = frozenset({"in_progress", "queued"})
_CALL: Final = "_call"
#: Members of a call that hold what is asked of a tool, as the text that the model wrote.
CALL_TEXTS: Final = ("arguments", "input")
#: How the ids of items begin that are made here, where they had none to follow.
_ITEM: Final = "item"
_SEPARATOR: Final = "_"


def read_response(document: JsonObject) -> Answer | Incomplete:
    """The answer that a response object holds, or why it holds none."""
    if is_error(document):
        return Incomplete("error")
    try:
        response = normal_response(document)
    except NotUnderstoodError:
        return Incomplete("malformed")
    usage, identity = _usage(response), a_string(response["id"])
    items = [an_object(item) for item in a_list(response["output"])]
    reason = _incomplete_reason(response, items)
    if reason is not None:
        return Incomplete(reason, usage, identity)
    calls = tuple(_calls(items))
    choice = Choice("".join(_texts(items)), "tool_calls" if calls else "stop", calls)
    facts = AnswerFacts(identity, a_string(response["model"]), (choice,), usage, is_kept=True)
    return Answer(facts, response)


def normal_response(document: JsonObject) -> JsonObject:
    """The response, checked, with holes where it repeats its request.

    Raises:
        NotUnderstoodError: it is not what the API prescribes.
    """
    check_depth(document)
    a_string(document.get("id"))
    a_string(document.get("model"))
    if document.get("object", "response") != "response":
        raise NotUnderstoodError
    for item in a_list(document.get("output")):
        _check_item(an_object(item))
    if document.get("usage") is not None:
        counts = an_object(document["usage"])
        an_integer(counts.get("input_tokens"))
        an_integer(counts.get("output_tokens"))
    return {**document, **{name: _hole(document[name]) for name in ECHOED if name in document}}


def restore(document: JsonObject) -> Answer:
    """See dialects.base.AnswerDialect."""
    answer = read_response(document)
    if isinstance(answer, Incomplete):
        raise ValueError(f"the document is no complete answer: {answer.reason}")  # noqa: TRY004 - what it holds
    return answer


def renew(answer: Answer, *, now_s: float) -> Answer:
    """The same answer made now, with ids of its own.

    An item with an encrypted form keeps its id: its provider reads both together.
    """
    identity = f"resp_{uuid4().hex}"
    items = [_renewed(an_object(item)) for item in a_list(answer.document["output"])]
    document: JsonObject = {**answer.document, "id": identity, "output": [*items]}
    dates = [name for name in ("created_at", "completed_at") if document.get(name) is not None]
    return Answer(replace(answer.facts, id=identity), {**document, **dict.fromkeys(dates, int(now_s))})


def compose(text: str, *, model: str, now_s: float) -> JsonObject:
    """The body of a pool that answers with this text; no model has counted a token of it."""
    part: JsonObject = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    message: JsonObject = {
        "id": f"msg_{uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "status": COMPLETED,
        "content": [part],
    }
    return {
        "id": f"resp_{uuid4().hex}",
        "object": "response",
        "created_at": int(now_s),
        "status": COMPLETED,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
    }


def echoing(response: JsonObject, body: Mapping[str, JsonValue]) -> JsonObject:
    """The response, repeating what this request says where it repeats anything."""
    said: JsonObject = {
        name: value for name in ECHOED if name in response and (value := body.get(name)) is not None
    }
    return {**response, **said}


# ── members ───────────────────────────────────────────────────────────────────────────────────


def _hole(value: JsonValue) -> JsonValue:
    """Nothing, in the form in which a pool says nothing there."""
    return {} if type(value) is dict else None


def _check_item(item: JsonObject) -> None:
    """An item of a kind; the kinds that facts are made of have their members."""
    kind = a_string(item.get("type"))
    if kind == "message":
        for part in a_list(item.get("content")):
            _check_part(an_object(part))
    elif kind == "function_call":
        a_string(item.get("name"))
        a_string(item.get("arguments"))
    elif kind == "custom_tool_call":
        a_string(item.get("name"))
        a_string(item.get("input"))
    elif kind == "reasoning":
        parts = (a_list(item.get(name) or []) for name in ("summary", "content"))
        for part in (an_object(part) for each in parts for part in each):
            a_string(part.get("text"))


def _check_part(part: JsonObject) -> None:
    match a_string(part.get("type")):
        case "output_text":
            a_string(part.get("text"))
        case "refusal":
            a_string(part.get("refusal"))


def _usage(response: JsonObject) -> Usage | None:
    if response.get("usage") is None:
        return None
    counts = an_object(response["usage"])
    return Usage(
        an_integer(counts["input_tokens"]),
        an_integer(counts["output_tokens"]),
        detail(counts.get("input_tokens_details"), "cached_tokens"),
        detail(counts.get("output_tokens_details"), "reasoning_tokens"),
    )


def _incomplete_reason(response: JsonObject, items: Sequence[JsonObject]) -> str | None:
    """Why it is not the whole answer; None when it is."""
    status = response.get("status")
    if status == "incomplete":
        details = response.get("incomplete_details")
        reason = details.get("reason") if type(details) is dict else None
        # vLLM gives none where a limit of tokens has cut the answer.
        return "length" if reason is None else _CUT.get(str(reason), "finish_reason")
    if status != COMPLETED:
        return "unfinished" if status is None or is_one_of(status, _UNFINISHED) else "finish_reason"
    if any(item.get("status") not in (COMPLETED, None) for item in items):
        return "unfinished"
    return None if _say_something(items) else "empty"


def _say_something(items: Sequence[JsonObject]) -> bool:
    """Whether the client gets text, a refusal, calls or media; reasoning alone is nothing to show."""
    if any(text.strip() for text in (*_texts(items), *_refusals(items))):
        return True
    return any(item["type"] not in {"message", "reasoning"} for item in items)


def _parts(items: Sequence[JsonObject]) -> Iterator[JsonObject]:
    for item in items:
        if item["type"] == "message":
            yield from (an_object(part) for part in a_list(item["content"]))


def _texts(items: Sequence[JsonObject]) -> Iterator[str]:
    return (a_string(part["text"]) for part in _parts(items) if part["type"] == "output_text")


def _refusals(items: Sequence[JsonObject]) -> Iterator[str]:
    return (a_string(part["refusal"]) for part in _parts(items) if part["type"] == "refusal")


def _calls(items: Sequence[JsonObject]) -> Iterator[ToolCall]:
    """The calls of all kinds; one that its kind names has the rest of its members as arguments."""
    for item in items:
        kind = a_string(item["type"])
        if kind.endswith(_CALL):
            name = item.get("name")
            texts = (value for each in CALL_TEXTS if type(value := item.get(each)) is str)
            rest = {each: value for each, value in item.items() if each not in NO_TEXTS}
            arguments = next(texts, None) or orjson.dumps(rest).decode()
            yield ToolCall(name if type(name) is str else kind.removesuffix(_CALL), arguments)


def _renewed(item: JsonObject) -> JsonObject:
    old = item.get("id")
    if type(old) is not str or item.get("encrypted_content") is not None:
        return item
    kind, separator, _ = old.partition(_SEPARATOR)
    return {**item, "id": f"{kind if separator else _ITEM}{_SEPARATOR}{uuid4().hex}"}
