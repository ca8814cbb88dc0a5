"""Prompts whose decision and model are known by the old file: the translated one gives them the same.

The whole way: the file is translated, written, read and served, with the shipped models.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from router_extproc.app.application import build
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.migration.vllm_sr import migrate
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.pipeline.decision import Explanation
from router_extproc.pipeline.report import AnswerReport, DecisionReport
from router_extproc.process.warm_up import warm
from router_extproc.protocol.headers import Headers

SAMPLES = Path(__file__).parents[1] / "samples" / "vllm_sr"
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (SAMPLES / "prompts.jsonl").read_text().splitlines()
]
FILES = sorted({row["file"] for row in ROWS})
#: No stage may be skipped on a busy machine.
PATIENT_S = 20.0


class Silence:
    """Fits pipeline.report.Listener."""

    def decided(self, report: DecisionReport) -> None:
        """Nobody asks."""

    def answered(self, report: AnswerReport) -> None:
        """Nobody asks."""


def patient(config: Config) -> Config:
    """The configuration with a cache in memory, and time."""
    times = {"message_timeout_s": PATIENT_S, "signals_timeout_s": PATIENT_S / 2, "cache_timeout_s": 1.0}
    cache = config.semantic_cache.model_copy(update={"backend_type": "memory"})
    limits = config.limits.model_copy(update=times)
    return config.model_copy(update={"semantic_cache": cache, "limits": limits})


async def decide(config: Config, prompts: Sequence[str]) -> list[tuple[str, str | None]]:
    """The decision and the model of each prompt."""
    found = []
    async with build(config, Silence()) as application:
        await warm(application, config)
        for prompt in prompts:
            body = orjson.dumps(
                {"model": config.virtual_models[0], "messages": [{"role": "user", "content": prompt}]}
            )
            decision = await application.explain("POST", "/v1/chat/completions", Headers(), body)
            assert decision is not None
            explanation = decision.explanation
            assert isinstance(explanation, Explanation)
            assert explanation.route is not None
            target = getattr(explanation.route, "target", None)
            found.append((explanation.route.decision, None if target is None else target.model))
    return found


@pytest.mark.parametrize("file", FILES)
async def test_a_translated_file_routes_its_prompts_as_the_old_one(
    file: str, tmp_path: Path, encoder: OnnxEncoder
) -> None:
    """What a migration is for."""
    del encoder  # builds the models
    rows = [row for row in ROWS if row["file"] == file]
    written = tmp_path / "router.yaml"
    written.write_text(migrate(SAMPLES / file).text, encoding="utf-8")
    config = patient(read_config(written, environ={"MILVUS_PASSWORD": "secret"}))
    found = await decide(config, [row["prompt"] for row in rows])
    expected = [(row["decision"], row["model"]) for row in rows]
    assert [(row["prompt"], *pair) for row, pair in zip(rows, found, strict=True)] == [
        (row["prompt"], *pair) for row, pair in zip(rows, expected, strict=True)
    ]
