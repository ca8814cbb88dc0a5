"""Warming up: the first pass through cold models takes many times as long as those after it."""

from __future__ import annotations

import orjson

from router_extproc.app import Application
from router_extproc.config.model import Config
from router_extproc.protocol.headers import Headers


async def warm(application: Application, config: Config) -> None:
    """Decide a request of nobody's, so that no client's waits for cold models."""
    if not config.virtual_models:
        return
    question = {"model": config.virtual_models[0], "messages": [{"role": "user", "content": "Are you warm?"}]}
    await application.explain("POST", "/v1/chat/completions", Headers(), orjson.dumps(question))
