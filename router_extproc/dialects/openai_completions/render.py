"""Renders text completions from the cache for the client.

A replay is one body, also where a stream was asked for. Read again, both forms give the answer that they
were made from.
Source: the OpenAI API reference, "The completion object"; vLLM, CompletionStreamResponse.
"""

from __future__ import annotations

import orjson

from router_extproc.dialects.base import Rendered
from router_extproc.dialects.openai_completions.completion import OBJECT
from router_extproc.dialects.openai_objects import JSON_TYPE, events_of, render_events
from router_extproc.llm.answer import Answer, JsonObject


def render_json(answer: Answer) -> Rendered:
    """One text completion object; its usage is null where the pool tells none."""
    return Rendered(JSON_TYPE, orjson.dumps(answer.document))


def render_stream(answer: Answer, *, usage: bool) -> Rendered:
    """The whole event stream; `usage`: ends with the token counts, where the pool reported them."""
    return render_events(events_of(answer.document, OBJECT, _whole, usage=usage))


def _whole(choice: JsonObject) -> tuple[JsonObject]:
    """One event a choice, with its text and its end: clients' types know no event without an end."""
    return (choice,)
