"""Milvus Lite behind several workers: one process beside them has its folder.

It is not Milvus Lite, and one worker alone needs none of this. The rule it keeps: the process starts
before the workers and ends after them, so what they write last still arrives.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from router_extproc.clock import SystemClock
from router_extproc.config.locate import uses_lite
from router_extproc.config.milvus import Milvus
from router_extproc.config.model import Config
from router_extproc.server.workers import Supervisor

#: How long Milvus Lite may take to put its rows on disk.
CLOSE_S: Final = 15.0
#: A module of its own, not a command: nothing of it is for users.
_MODULE: Final = "router_extproc.cache.milvus.lite_process"
_SOCKET: Final = "milvus-lite.sock"


@asynccontextmanager
async def lite_process(config: Config, peers: Path) -> AsyncIterator[None]:
    """Milvus Lite on a socket in `peers` while the block runs, if the workers are to share it."""
    milvus = _shared(config)
    if milvus is None:
        yield
        return
    command = _command(config, milvus, peers)
    keeper = Supervisor(
        lambda _: command, 1, drain_s=0, clock=SystemClock(), kill_after_s=CLOSE_S, name="milvus lite"
    )
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keeper.run(stop), name="milvus-lite")
        try:
            yield
        finally:
            stop.set()


def asking_lite(config: Config, peers: Path) -> Config:
    """The configuration of one of several workers: Milvus Lite is behind the socket in `peers`."""
    milvus = _shared(config)
    if milvus is None:
        return config
    connection = milvus.connection.model_copy(update={"uri": f"unix:{peers / _SOCKET}"})
    shared = milvus.model_copy(update={"connection": connection})
    cache = config.semantic_cache.model_copy(update={"milvus": shared})
    return config.model_copy(update={"semantic_cache": cache})


def _shared(config: Config) -> Milvus | None:
    cache = config.semantic_cache
    if config.workers == 1 or not cache.enabled or cache.backend_type != "milvus" or cache.milvus is None:
        return None
    return cache.milvus if uses_lite(cache.milvus.connection) else None


def _command(config: Config, milvus: Milvus, peers: Path) -> Sequence[str]:
    telemetry = config.telemetry
    places = (str(milvus.connection.uri), str(peers / _SOCKET))
    return [sys.executable, "-m", _MODULE, *places, telemetry.log_level, telemetry.log_format]
