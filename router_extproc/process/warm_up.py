"""Warm-up: what would delay the first requests is done before them; nothing of it is seen or stored."""

from __future__ import annotations

import gc

import orjson

from router_extproc.app.application import Application
from router_extproc.config.model import Config
from router_extproc.protocol.headers import Headers


async def warm(application: Application, config: Config) -> None:
    """Decide a request of nobody's: the first pass through cold models takes many times as long."""
    if not config.virtual_models:
        return
    question = {"model": config.virtual_models[0], "messages": [{"role": "user", "content": "Are you warm?"}]}
    await application.explain("POST", "/v1/chat/completions", Headers(), orjson.dumps(question))


def settle() -> None:
    """Take what is there for good (modules, models, settings) out of the garbage collector's sight.

    Going through these 200,000 objects takes up to 175 ms, in which no request is answered: whatever is
    under way then comes too late for Envoy's message timeout.
    """
    gc.collect()
    gc.freeze()
