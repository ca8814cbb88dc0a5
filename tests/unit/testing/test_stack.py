"""What tests behind a real Envoy are told of a worker that they kill."""

from __future__ import annotations

from pathlib import Path

from router_extproc.config.model import Config
from router_extproc.testing.stack import Worker

CONFIG = Config.model_validate(
    {
        "version": 1,
        "listen": "127.0.0.1:50051",
        "default_model": "small",
        "models": {"small": {"cluster": "vllm_small"}},
    }
)


def test_an_event_that_a_killed_worker_did_not_finish_writing_is_none(tmp_path: Path) -> None:
    """A worker that dies in the middle of a long answer dies in the middle of a long line."""
    events = tmp_path / "events.jsonl"
    events.write_bytes(b'{"role": "observe", "event": "opened"}\n{"role": "observe", "event": "answer chu')
    assert [event["event"] for event in Worker("", events, CONFIG).events()] == ["opened"]
