"""What a configuration of this version can say: an old file is translated to the best of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from pydantic import ValidationError

from router_extproc.config.model import Config
from router_extproc.llm.answer import JsonValue
from router_extproc.signals import SIGNALS

_DECISION: Final = {"name": "x", "model": "m"}


def accepts_signal(settings: Mapping[str, JsonValue]) -> bool:
    """Whether there is such a signal, with these keys."""
    kind = SIGNALS.get(str(settings.get("type")))
    if kind is None:
        return False
    try:
        kind.model_validate(dict(settings))
    except ValidationError:
        return False
    return True


@cache
def has_reasoning_effort() -> bool:
    """Whether a decision says how much a model reasons."""
    return _accepts({"decisions": [{**_DECISION, "reasoning": {"on": True, "effort": "medium"}}]})


@cache
def has_context_tokens() -> bool:
    """Whether a model says how long a request it reads."""
    return _accepts({"models": {"m": {"cluster": "c", "context_tokens": 1}}})


@cache
def blocks_pinned() -> bool:
    """Whether a decision that refuses takes requests that name a real model, too."""
    return _accepts({"decisions": [{"name": "x", "action": {"block": {}}, "pinned": True}]})


def _accepts(section: Mapping[str, object]) -> bool:
    base = {"version": 1, "default_model": "m", "models": {"m": {"cluster": "c"}}}
    try:
        Config.model_validate({**base, **section})
    except ValidationError:
        return False
    return True
