"""Builds what a signal looks at, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from router_extproc.conversation.ask import read_ask
from router_extproc.llm.request import ContextField, InferenceRequest, Turn
from router_extproc.models.base import Encoder
from router_extproc.signals.base import Subject


def subject_of(
    prompt: str,
    *,
    system: str = "",
    history: Sequence[Turn] = (),
    context: Sequence[ContextField] = (),
    headers: Mapping[str, str] | None = None,
    encoder: Encoder | None = None,
) -> Subject:
    """A request that asks `prompt`; it is encoded if there is an encoder."""
    request = InferenceRequest(
        dialect="openai_chat",
        model="auto",
        prompt=prompt,
        system=system,
        history=tuple(history),
        context=tuple(context),
        stream=False,
        stream_usage=False,
        prompt_is_last=True,
    )
    return Subject(request, headers or {}, encoder.encode(prompt) if encoder else None, read_ask(request))
