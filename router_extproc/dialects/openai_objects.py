"""What the answers of OpenAI's chat completions and completions have in common: usage, dates, events.

Source: the OpenAI API reference, "The chat completion object"; vLLM, UsageInfo.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final
from uuid import uuid4

import orjson

from router_extproc.dialects.base import Rendered
from router_extproc.dialects.members import (
    NotUnderstoodError,
    a_list,
    a_string,
    an_integer,
    an_object,
    check_depth,
    is_integer,
    others,
)
from router_extproc.dialects.size import size_of
from router_extproc.llm.answer import Answer, JsonObject, JsonValue, Usage

JSON_TYPE: Final = "application/json"
SSE_TYPE: Final = "text/event-stream"
#: Every reason that these APIs give for an answer that is not stored.
INCOMPLETE_REASONS: Final = frozenset(
    {
        "too_large",  # more bytes than the reader may keep
        "cut_off",  # the stream ended before its terminal event
        "malformed",  # not what the API prescribes
        "error",  # the pool reported an error inside a 200
        "no_choices",  # no alternative at all
        "empty",  # a choice says nothing: no text, or reasoning alone
        "unfinished",  # a choice without finish reason
        "length",  # the model was stopped by a token limit
        "content_filter",  # the pool left something out
        "finish_reason",  # stopped for any other reason
        "content_type",  # neither JSON nor SSE
    }
)
#: The members of an answer that have a place of their own; the rest are facts about it.
ANSWER_MEMBERS: Final = frozenset({"id", "object", "created", "model", "choices", "usage"})
#: What ends a stream.
END_OF_STREAM: Final = b"[DONE]"


def render_events(events: Iterable[JsonObject]) -> Rendered:
    """A whole stream of events without names."""
    lines = [b"data: " + orjson.dumps(event) for event in events]
    return Rendered(SSE_TYPE, b"\n\n".join([*lines, b"data: " + END_OF_STREAM, b""]))


def is_error(document: JsonObject) -> bool:
    """A pool that fails after its 200 says so in the object or in an event."""
    return document.get("error") is not None or document.get("object") == "error"


def whole_seconds(value: JsonValue) -> int:
    """A date; some pools write fractions of a second.

    Raises:
        NotUnderstoodError: it is none.
    """
    if type(value) is float and math.isfinite(value):
        return int(value)
    return an_integer(value)


def checked_usage(usage: JsonValue) -> JsonValue:
    """The pool's own object, which must tell the counts; null and an empty one tell none.

    Raises:
        NotUnderstoodError: it tells something else.
    """
    if usage is None or usage == {}:
        return None
    usage = an_object(usage)
    an_integer(usage.get("prompt_tokens"))
    an_integer(usage.get("completion_tokens", 0))
    return usage


def usage_of(document: JsonObject) -> Usage | None:
    """The counts of an object whose usage was checked; None: it tells none."""
    if document.get("usage") is None:
        return None
    usage = an_object(document["usage"])
    return Usage(
        prompt_tokens=an_integer(usage.get("prompt_tokens")),
        completion_tokens=an_integer(usage.get("completion_tokens", 0)),
        cached_tokens=detail(usage.get("prompt_tokens_details"), "cached_tokens"),
        reasoning_tokens=detail(usage.get("completion_tokens_details"), "reasoning_tokens"),
    )


def detail(details: JsonValue, name: str) -> int:
    """A count among the details of a usage; 0 where it is not told."""
    count = details.get(name) if type(details) is dict else None
    return count if is_integer(count) else 0


def take_fact(held: JsonObject, name: str, value: JsonValue) -> int:
    """Keep a member of the answer itself that an event tells; what it adds in size.

    The last one that is not empty counts. A usage of null stands in every event but the last, asked for or
    not.
    """
    if name == "usage" and value is None:
        return 0
    before = held.get(name)
    if name in held and (not value or value == before):
        return 0
    held[name] = value
    return size_of(value) - size_of(before)


def normal_object(
    document: JsonObject,
    kind: str,
    normal_choice: Callable[[JsonObject, int], JsonObject],
    *,
    left_out: AbstractSet[str] = frozenset(),
) -> JsonObject:
    """The object of an answer, checked, its choices in their order and its members in one order.

    A usage of null says that the pool tells none; where the member is missing, nobody has asked the pool.
    normal_choice: of a choice and its place in the list. left_out: members that are no part of an answer.

    Raises:
        NotUnderstoodError: it is not what the API prescribes.
    """
    check_depth(document)
    found = [an_object(choice) for choice in a_list(document.get("choices"))]
    choices = sorted(
        (normal_choice(choice, place) for place, choice in enumerate(found)),
        key=lambda choice: an_integer(choice["index"]),
    )
    if [choice["index"] for choice in choices] != list(range(len(choices))):
        raise NotUnderstoodError
    completion: JsonObject = {
        "id": a_string(document.get("id")),
        "object": kind,
        "created": whole_seconds(document.get("created")),
        "model": a_string(document.get("model")),
        "choices": [*choices],
        **others(document, ANSWER_MEMBERS | left_out),
    }
    if "usage" in document:
        completion["usage"] = checked_usage(document["usage"])
    return completion


def events_of(
    completion: JsonObject, kind: str, entries: Callable[[JsonObject], Iterable[JsonObject]], *, usage: bool
) -> Iterator[JsonObject]:
    """The events of a stream with this answer: those of each choice, and with `usage` one with the counts.

    entries: what stands in `choices`, event by event, for one choice.
    """
    head = {name: completion[name] for name in ("id", "object", "created", "model")}
    head["object"] = kind
    # Short facts (system_fingerprint) stand in every event, lists and objects (prompt_token_ids) once.
    extra = others(completion, ANSWER_MEMBERS)
    long = {name: value for name, value in extra.items() if isinstance(value, list | dict)}
    short = others(extra, long)
    # With usage asked for, every event but the last has a null there.
    tail: JsonObject = {**short, "usage": None} if usage else short
    for choice in a_list(completion["choices"]):
        for entry in entries(an_object(choice)):
            yield {**head, "choices": [entry], **tail, **long}
            long = {}
    if usage and completion.get("usage") is not None:
        yield {**head, "choices": [], **short, "usage": completion["usage"]}


def renew(answer: Answer, *, kind: str, now_s: float) -> Answer:
    """See dialects.base.AnswerDialect; the new id is of the kind of the old one, or of this kind."""
    old_kind, separator, _ = answer.facts.id.partition("-")
    identity = f"{old_kind if separator else kind}-{uuid4().hex}"
    document = {**answer.document, "id": identity, "created": int(now_s)}
    return Answer(replace(answer.facts, id=identity), document)


def mark_cached(answer: Answer, details_name: str = "prompt_tokens_details") -> Answer:
    """See dialects.base.AnswerDialect; `details_name`: the member of usage that tells of cached tokens."""
    usage = answer.facts.usage
    if usage is None:
        return answer
    told = an_object(answer.document["usage"])
    details = told.get(details_name)
    known = details if type(details) is dict else {}
    told[details_name] = {**known, "cached_tokens": usage.prompt_tokens}
    facts = replace(answer.facts, usage=replace(usage, cached_tokens=usage.prompt_tokens))
    return Answer(facts, {**answer.document, "usage": told})
