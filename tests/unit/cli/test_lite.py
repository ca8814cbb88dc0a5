"""Which workers ask the Milvus Lite process, and which open the folder themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from router_extproc.cli.lite import asking_lite
from router_extproc.config.model import Config

LITE = {"connection": {"uri": "/data/cache.db"}}
PEERS = Path("/run/peers")


def config(workers: int, **cache: Any) -> Config:
    return Config.model_validate(
        {
            "version": 1,
            "workers": workers,
            "default_model": "small",
            "models": {"small": {"cluster": "small"}},
            "semantic_cache": {"enabled": True, "backend_type": "milvus", "milvus": LITE, **cache},
        }
    )


def test_several_workers_ask_one_process() -> None:
    milvus = asking_lite(config(2), PEERS).semantic_cache.milvus
    assert milvus is not None
    assert milvus.connection.uri == "unix:/run/peers/milvus-lite.sock"


@pytest.mark.parametrize(
    "alone",
    [
        config(1),
        config(2, enabled=False),
        config(2, backend_type="memory"),
        config(2, milvus=None),
        config(2, milvus={"connection": {"uri": "http://milvus:19530"}}),
    ],
    ids=["one worker", "off", "memory", "default server", "a server"],
)
def test_nothing_changes_where_no_folder_is_shared(alone: Config) -> None:
    assert asking_lite(alone, PEERS) is alone
