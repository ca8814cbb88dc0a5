"""A worker that was started again has the configuration that was read, to the last value."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.config.handover import handed_over, received
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.errors import ConfigError

ROOT = Path(__file__).parents[3]
LEAST = {"version": 1, "default_model": "small", "models": {"small": {"cluster": "small"}}}


@pytest.mark.parametrize("name", ["deploy/router.yaml", "router_extproc/demo/router.yaml"])
def test_what_arrives_is_what_was_read(name: str) -> None:
    config = read_config(ROOT / name)
    assert received(handed_over(config)) == config


@pytest.mark.parametrize(
    "more",
    [
        {"semantic_cache": {"scope": "shared"}},
        {"semantic_cache": {"scope": {"headers": ["x-team"]}}},
        {"decisions": [{"name": "a", "model": "small", "when": {"any": [{"b": True}, {"c": ["1", "x"]}]}}]},
        {"signals": {"b": {"type": "keywords", "any": ["ä", "\u2028", '"']}}},
        {"semantic_cache": {"milvus": {"connection": {"auth": {"password": "p${NOT_READ_AGAIN}"}}}}},
    ],
    ids=["shared", "headers", "rules", "texts", "password"],
)
def test_no_value_is_lost_on_the_way(more: dict[str, object]) -> None:
    config = Config.model_validate({**LEAST, **more})
    assert received(handed_over(config)) == config


def test_another_versions_configuration_is_refused_without_quoting_it() -> None:
    """The package was replaced under a running supervisor; pydantic's text would quote values."""
    with pytest.raises(ConfigError) as refused:
        received(b'{"version": 1, "password": "hunter2"}')
    assert "restart" in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
