"""What the answers of OpenAI's chat completions and completions have in common: usage, dates, events.

Source: the OpenAI API reference, "The chat completion object"; vLLM, UsageInfo.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from uuid import uuid4

import orjson

from router_extproc.dialects.base import Rendered
from router_extproc.dialects.members import an_integer, an_object, is_integer
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


def renew(answer: Answer, *, kind: str, now_s: float) -> Answer:
    """See dialects.base.AnswerDialect; the new id is of the kind of the old one, or of this kind."""
    old_kind, separator, _ = answer.facts.id.partition("-")
    identity = f"{old_kind if separator else kind}-{uuid4().hex}"
    document = {**answer.document, "id": identity, "created": int(now_s)}
    return Answer(replace(answer.facts, id=identity), document)


def mark_cached(answer: Answer) -> Answer:
    """See dialects.base.AnswerDialect."""
    usage = answer.facts.usage
    if usage is None:
        return answer
    told = an_object(answer.document["usage"])
    details = told.get("prompt_tokens_details")
    known = details if type(details) is dict else {}
    told["prompt_tokens_details"] = {**known, "cached_tokens": usage.prompt_tokens}
    facts = replace(answer.facts, usage=replace(usage, cached_tokens=usage.prompt_tokens))
    return Answer(facts, {**answer.document, "usage": told})
