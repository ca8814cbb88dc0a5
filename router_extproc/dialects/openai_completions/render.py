"""Renders text completions from the cache for the client.

A replay is one body, also where a stream was asked for. Read again, both forms give the answer that they
were made from.
Source: the OpenAI API reference, "The completion object"; vLLM, CompletionStreamResponse.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from router_extproc.dialects.base import Rendered
from router_extproc.dialects.members import a_list, others
from router_extproc.dialects.openai_completions.completion import ANSWER_MEMBERS
from router_extproc.dialects.openai_objects import JSON_TYPE, render_events
from router_extproc.llm.answer import Answer, JsonObject


def render_json(answer: Answer) -> Rendered:
    """One text completion object; its usage is null where the pool tells none."""
    return Rendered(JSON_TYPE, orjson.dumps(answer.document))


def render_stream(answer: Answer, *, usage: bool) -> Rendered:
    """The whole event stream; `usage`: ends with the token counts, where the pool reported them."""
    return render_events(_events(answer.document, usage=usage))


def _events(completion: JsonObject, *, usage: bool) -> Iterator[JsonObject]:
    """One event a choice, with its text and its end: clients' types know no event without an end."""
    head = {name: completion[name] for name in ("id", "object", "created", "model")}
    # Short facts (system_fingerprint) stand in every event, lists and objects once.
    extra = others(completion, ANSWER_MEMBERS)
    long = {name: value for name, value in extra.items() if isinstance(value, list | dict)}
    short = others(extra, long)
    # With usage asked for, every event but the last has a null there.
    tail: JsonObject = {**short, "usage": None} if usage else short
    for choice in a_list(completion["choices"]):
        yield {**head, "choices": [choice], **tail, **long}
        long = {}
    if usage and completion.get("usage") is not None:
        yield {**head, "choices": [], **short, "usage": completion["usage"]}
