"""Milvus Lite of a sidecar: who may change its folder, and one process that serves it to several workers.

That process starts before the workers and ends after them, so what they write last still arrives. A worker
that is alone serves the folder itself, on a socket of its own (`cache.milvus.lite_server`).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from router_extproc.address import UnixAddress
from router_extproc.cache.milvus.endpoint import LiteEndpoint, endpoint_of
from router_extproc.clock import SystemClock
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError
from router_extproc.file_access import NotPrivateError, close_to_others, find_problem
from router_extproc.process.supervisor import Supervisor
from router_extproc.telemetry.logging import get_logger

#: How long Milvus Lite may take to put its rows on disk.
CLOSE_S: Final = 15.0
#: A module of its own, not a command: nothing of it is for users.
_MODULE: Final = "router_extproc.process.milvus_lite_server"
_SOCKET: Final = "milvus-lite.sock"
_YAML_PATH: Final = "semantic_cache.milvus.connection.uri"


def prepare_lite(config: Config) -> None:
    """Close the folder of Milvus Lite, if there is one, to other users; says so in the log.

    Raises:
        ConfigError: somebody else could change it, or could have: then it is nothing to answer from.
    """
    folder = _folder(config)
    if folder is None:
        return
    try:
        closed = close_to_others(folder)
    except NotPrivateError as error:
        raise ConfigError(_YAML_PATH, str(error)) from error
    if closed:
        get_logger().warning(
            "milvus lite folder closed to other users", folder=str(folder), files=len(closed)
        )


def lite_problems(config: Config) -> Iterator[ConfigError]:
    """What `prepare_lite` would refuse here and now; changes nothing."""
    folder = _folder(config)
    problem = None if folder is None else find_problem(folder)
    if problem is not None:
        yield ConfigError(_YAML_PATH, problem)


@asynccontextmanager
async def lite_process(config: Config, peers: Path) -> AsyncIterator[None]:
    """Milvus Lite on a socket in `peers` while the block runs, if the workers are to share it."""
    folder = _shared(config)
    if folder is None:
        yield
        return
    command = _command(config, folder, peers)
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
    milvus = config.semantic_cache.milvus
    if milvus is None or _shared(config) is None:
        return config
    uri = str(UnixAddress(str(peers / _SOCKET)))
    connection = milvus.connection.model_copy(update={"uri": uri})
    shared = milvus.model_copy(update={"connection": connection})
    cache = config.semantic_cache.model_copy(update={"milvus": shared})
    return config.model_copy(update={"semantic_cache": cache})


def _shared(config: Config) -> Path | None:
    return None if config.workers == 1 else _folder(config)


def _folder(config: Config) -> Path | None:
    """The folder of Milvus Lite; None: the cache is elsewhere, or off."""
    cache = config.semantic_cache
    if not cache.enabled or cache.backend_type != "milvus" or cache.milvus is None:
        return None
    endpoint = endpoint_of(cache.milvus)
    return endpoint.path if isinstance(endpoint, LiteEndpoint) else None


def _command(config: Config, folder: Path, peers: Path) -> Sequence[str]:
    telemetry = config.telemetry
    places = (str(folder), str(peers / _SOCKET))
    return [sys.executable, "-m", _MODULE, *places, telemetry.log_level, telemetry.log_format]
