"""A worker serves when its models are warm, and not when it has only tried."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from router_extproc.config.model import Config
from router_extproc.dialects import find_dialect
from router_extproc.pipeline.decision import Decision, Forward, StageNote
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.process.warm_up import PASSES_MAX, warm
from router_extproc.protocol.headers import Headers
from router_extproc.testing.router import fake_router

MODELS = {"small": {"cluster": "vllm_small"}}


def config(**more: object) -> Config:
    return Config.model_validate({"version": 1, "default_model": "small", "models": MODELS, **more})


class ColdModels:
    """Decides as a router does, but for its first `late` requests, in which one stage is not in time."""

    def __init__(self, late: int, stage: str = "signals") -> None:
        self._late, self._stage = late, stage
        self._router = fake_router()
        self.asked: list[str] = []

    async def explain(self, method: str, path: str, headers: Headers, body: bytes) -> Decision | None:
        self.asked.append(orjson.loads(body)["model"])
        dialect = find_dialect(method, path)
        assert dialect is not None
        decision = await self._router.parts.pipeline.decide(RawRequest(dialect, headers, body))
        assert isinstance(decision, Forward)
        late = len(self.asked) <= self._late
        stages = (StageNote(self._stage, 0.3, "timeout" if late else "ok", started_s=0.0),)
        return replace(decision, explanation=replace(decision.explanation, stages=stages))


@pytest.mark.parametrize("late", [0, 3])
async def test_a_request_is_decided_until_it_is_read_in_time(late: int) -> None:
    """Health says SERVING afterwards, and Envoy's first request is read by the same models."""
    models = ColdModels(late)
    await warm(models, config())
    assert len(models.asked) == late + 1


async def test_a_machine_that_is_always_late_serves_all_the_same() -> None:
    models = ColdModels(PASSES_MAX + 1)
    await warm(models, config())
    assert len(models.asked) == PASSES_MAX


async def test_a_cache_that_is_late_holds_up_nobody() -> None:
    """A Milvus that hangs is no reason not to route."""
    models = ColdModels(PASSES_MAX, stage="cache")
    await warm(models, config())
    assert len(models.asked) == 1


async def test_models_that_nothing_is_routed_to_are_warmed_too() -> None:
    """The cache reads requests for a named model as well."""
    models = ColdModels(0)
    await warm(models, config(virtual_models=[]))
    assert models.asked == ["small"]
