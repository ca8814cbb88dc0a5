"""Answers of APIs whose events have names and hold objects (Anthropic's messages, OpenAI's responses)."""

from __future__ import annotations

from router_extproc.dialects.readers import PoolFailedError, answer_object
from router_extproc.dialects.sse import SseEvent
from router_extproc.llm.answer import JsonObject


def is_error(document: JsonObject) -> bool:
    """A pool that fails after its 200 says so in the object or in an event."""
    return document.get("type") == "error" or document.get("error") is not None


def object_of(event: SseEvent) -> JsonObject | None:
    """The object that the event holds; None: a ping of a proxy, or the [DONE] that some servers send last.

    Raises:
        NotUnderstoodError: it is something else.
        PoolFailedError: it is an error.
    """
    said = event.data.strip()
    document = answer_object(said) if said.startswith(b"{") else None
    if event.event == "error" or (document is not None and is_error(document)):
        raise PoolFailedError
    return document
