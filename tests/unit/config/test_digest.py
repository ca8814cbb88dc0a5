"""The digest tells configurations apart, and no secret."""

from __future__ import annotations

from typing import Any

import pytest

from router_extproc.config.digest import DIGEST_CHARS, digest_of
from router_extproc.config.model import Config


def config(**more: Any) -> Config:
    models = {"small": {"cluster": "s"}, "large": {"cluster": "l"}}
    return Config.model_validate({"version": 1, "default_model": "small", "models": models, **more})


def milvus(**connection: Any) -> Config:
    return config(semantic_cache={"enabled": True, "milvus": {"connection": connection}})


def test_equal_configurations_have_one_digest() -> None:
    """A default that is written down changes nothing, nor does the order of keys."""
    models = {"large": {"cluster": "l"}, "small": {"cluster": "s"}}
    assert digest_of(config()) == digest_of(config(workers=1, models=models))
    assert len(digest_of(config())) == DIGEST_CHARS


@pytest.mark.parametrize(
    "changed",
    [
        {"workers": 2},
        {"default_model": "large"},
        {"telemetry": {"requests": "all"}},
        {"semantic_cache": {"enabled": True}},
        {"decisions": [{"name": "d", "model": "large"}]},
        {"signals": {"s": {"type": "keywords", "any": ["a"]}}},
        {"limits": {"message_timeout_s": 1}},
    ],
)
def test_any_change_changes_the_digest(changed: dict[str, Any]) -> None:
    assert digest_of(config()) != digest_of(config(**changed))


def test_the_order_of_decisions_counts() -> None:
    one, two = {"name": "a", "model": "small"}, {"name": "b", "model": "large"}
    assert digest_of(config(decisions=[one, two])) != digest_of(config(decisions=[two, one]))


@pytest.mark.parametrize("key", ["password", "token"])
def test_a_secret_does_not_show_in_the_digest(key: str) -> None:
    """Twelve digits of a guessable password's digest are the password."""
    first, second = (milvus(auth={"enabled": True, key: value}) for value in ("one", "two"))
    assert digest_of(first) == digest_of(second) != digest_of(milvus(auth={"enabled": True}))


def test_credentials_in_a_uri_do_not_show_in_the_digest() -> None:
    assert digest_of(milvus(uri="http://a:one@host:19530")) == digest_of(
        milvus(uri="http://a:two@host:19530")
    )
    assert digest_of(milvus(uri="http://host:19530")) != digest_of(milvus(uri="http://other:19530"))
