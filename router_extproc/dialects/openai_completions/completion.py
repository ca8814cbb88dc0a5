"""Text completion objects, the form in which an answer is kept: read, judged complete or not, made anew.

Streamed or not, the same answer has the same form. An object that is not understood in full, or is not the
whole answer, becomes no answer.
Source: the OpenAI API reference, "The completion object"; vLLM, CompletionResponse.
"""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from router_extproc.dialects.members import (
    NotUnderstoodError,
    a_list,
    a_string,
    an_integer,
    an_object,
    optional_string,
    others,
)
from router_extproc.dialects.openai_objects import is_error, normal_object, usage_of
from router_extproc.llm.answer import Answer, AnswerFacts, Choice, Incomplete, JsonObject, JsonValue

OBJECT: Final = "text_completion"
#: The members of a choice that have a place of their own.
CHOICE_MEMBERS: Final = frozenset({"index", "text", "finish_reason"})


def read_unstreamed(document: JsonObject) -> Answer | Incomplete:
    """The answer that a pool sent as one object; without usage it says that the pool tells none."""
    return read_completion({**document, "usage": document.get("usage")})


def read_completion(document: JsonObject) -> Answer | Incomplete:
    """The answer that a text completion object holds, or why it holds none."""
    if is_error(document):
        return Incomplete("error")
    try:
        completion = normal_completion(document)
    except NotUnderstoodError:
        return Incomplete("malformed")
    choices = [an_object(choice) for choice in a_list(completion["choices"])]
    usage = usage_of(completion)
    reason = _incomplete_reason(choices)
    if reason is not None:
        return Incomplete(reason, usage)
    identity, model = a_string(completion["id"]), a_string(completion["model"])
    said = tuple(Choice(a_string(each["text"]), a_string(each["finish_reason"])) for each in choices)
    return Answer(AnswerFacts(identity, model, said, usage, "usage" in completion), completion)


def normal_completion(document: JsonObject) -> JsonObject:
    """The completion, checked, and its members in one order.

    A usage of null says that the pool tells none; where the member is missing, nobody has asked the pool.

    Raises:
        NotUnderstoodError: it is not what the API prescribes.
    """
    return normal_object(document, OBJECT, _normal_choice)


def restore(document: JsonObject) -> Answer:
    """See dialects.base.AnswerDialect."""
    answer = read_completion(document)
    if isinstance(answer, Incomplete):
        raise ValueError(f"the document is no complete answer: {answer.reason}")  # noqa: TRY004 - what it holds
    return answer


def compose(text: str, *, model: str, now_s: float) -> JsonObject:
    """See dialects.base.AnswerDialect."""
    choice: JsonValue = {"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}
    return {
        "id": f"cmpl-{uuid4().hex}",
        "object": OBJECT,
        "created": int(now_s),
        "model": model,
        "choices": [choice],
        "usage": None,
    }


def _normal_choice(original: JsonObject, place: int) -> JsonObject:
    """One alternative; `place`: in the list, which is its index unless it says another."""
    index = original.get("index")
    return {
        "index": place if index is None else an_integer(index),
        "text": a_string(original.get("text")),
        "finish_reason": optional_string(original.get("finish_reason")),
        **others(original, CHOICE_MEMBERS),
    }


def _incomplete_reason(choices: list[JsonObject]) -> str | None:
    """Why the choices are not the whole answer; None when they are."""
    if not choices:
        return "no_choices"
    return next((reason for choice in choices if (reason := _choice_reason(choice))), None)


def _choice_reason(choice: JsonObject) -> str | None:
    """Why this choice is not whole; None when it is."""
    match choice["finish_reason"]:
        case "stop":
            return None if a_string(choice["text"]).strip() else "empty"
        case None | "":
            return "unfinished"
        case "length" | "content_filter" as reason:
            return str(reason)
        case _:
            return "finish_reason"
