"""Warm-up: what would delay the first requests is done before them; nothing of it is seen or stored."""

from __future__ import annotations

import gc
from typing import Final, Protocol

import orjson

from router_extproc.config.model import Config
from router_extproc.pipeline.decision import Decision, Forward
from router_extproc.pipeline.signal_stage import STAGE
from router_extproc.protocol.headers import Headers

#: Passes at most. Each ends with `limits.message_timeout_s`: a machine on which none of so many is in time
#: serves late in any case.
PASSES_MAX: Final = 20
_PATH: Final = "/v1/chat/completions"


class Explains(Protocol):
    """Decides requests without serving them: the application."""

    async def explain(self, method: str, path: str, headers: Headers, body: bytes) -> Decision | None:
        """What would be decided."""
        ...


async def warm(application: Explains, config: Config) -> None:
    """Decide a request of nobody's until its signals are read in time.

    The first pass through cold models takes many times as long as a later one, and longer than a stage may on
    a busy machine.
    """
    model = (*config.virtual_models, config.default_model)[0]
    question = {"model": model, "messages": [{"role": "user", "content": "Are you warm?"}]}
    for _ in range(PASSES_MAX):
        decision = await application.explain("POST", _PATH, Headers(), orjson.dumps(question))
        if not _was_late(decision):
            return


def _was_late(decision: Decision | None) -> bool:
    stages = decision.explanation.stages if isinstance(decision, Forward) else ()
    # Not the cache's: a Milvus that is slow to answer is no reason to serve nobody.
    return any(stage.stage == STAGE and stage.outcome == "timeout" for stage in stages)


def settle() -> None:
    """Take what is there for good (modules, models, settings) out of the garbage collector's sight.

    Going through these 200,000 objects takes up to 175 ms, in which no request is answered: whatever is
    under way then comes too late for Envoy's message timeout.
    """
    gc.collect()
    gc.freeze()
