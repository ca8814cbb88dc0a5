"""What a benchmark runs against: one pool, plain Envoy, and Envoy with the sidecar.

The cache is in memory, or in Milvus Lite where that is configured; pools answer at once. Both Envoys have
the same configuration except for our filters.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import httpx
import orjson

from router_extproc.bench.pool import SERVED_NAME
from router_extproc.config import model as section
from router_extproc.config.envoy import EnvoyCluster
from router_extproc.config.limits import Limits
from router_extproc.demo.configuration import HOST, packaged
from router_extproc.envoy_config.bootstrap import bootstrap
from router_extproc.envoy_config.filters import http_filters
from router_extproc.envoy_config.render import tree_of
from router_extproc.errors import RouterError
from router_extproc.process.child import Child, first_of
from router_extproc.process.envoy import envoy_binary
from router_extproc.telemetry.metrics.reading import count_late_stages

READY_S: Final = 240.0
_LOOK_EVERY_S: Final = 0.05
#: In memory; made-up prompts of any words ("the weather for") are no questions that are true only now.
_CACHE: Final[Mapping[str, object]] = MappingProxyType(
    {"backend_type": "memory", "milvus": None, "max_entries": 100_000, "volatile_ttl_s": "off"}
)


@dataclass(frozen=True, slots=True)
class Stack:
    """Where to send requests, and whom to weigh."""

    plain: str
    routed: str
    #: Admin interface of the Envoy with the sidecar.
    envoy_admin: str
    #: The sidecar's own.
    admin: str
    sidecar: Child


@asynccontextmanager
async def running(
    folder: Path, *, workers: int, pool_latency_s: float = 0.0, limits: Limits | None = None
) -> AsyncIterator[Stack]:
    """Everything started and ready inside the block; its files are in the folder.

    limits: in place of those that a user has by default.
    """
    ports = _free_ports(5)
    config = _config(folder, ports, workers)
    if limits is not None:
        config = config.model_copy(update={"limits": limits})
    router, envoy, plain = (folder / name for name in ("router.yaml", "envoy.json", "plain.json"))
    # JSON is YAML, too.
    router.write_text(config.model_dump_json(exclude_defaults=True), encoding="utf-8")
    envoy.write_bytes(orjson.dumps(tree_of(bootstrap(config))))
    plain.write_bytes(orjson.dumps(plain_bootstrap(config, f"{HOST}:{ports[3]}")))
    async with AsyncExitStack() as stack:

        async def start(name: str, command: list[str]) -> Child:
            child = await Child.start(name, command, folder / f"{name}.log")
            stack.push_async_callback(child.stop)
            return child

        await start(
            "pool", [sys.executable, "-m", "router_extproc.bench.pool", str(ports[0]), str(pool_latency_s)]
        )
        serve = [sys.executable, "-m", "router_extproc", "serve", "--config", str(router)]
        sidecar = await start("sidecar", serve)
        flags = ["--disable-hot-restart", "--log-level", "error", "--concurrency", "2"]
        envoys = [
            await start(name, [envoy_binary(), "-c", str(file), *flags])
            for name, file in (("envoy", envoy), ("plain", plain))
        ]
        await _answers(sidecar, f"http://{config.admin}/readyz")
        for proxy, port in zip(envoys, ports[2:4], strict=True):
            await _answers(proxy, f"http://{HOST}:{port}/v1/models")
        yield Stack(
            plain=f"http://{HOST}:{ports[3]}",
            routed=f"http://{HOST}:{ports[2]}",
            envoy_admin=f"http://{HOST}:{ports[4]}",
            admin=f"http://{config.admin}",
            sidecar=sidecar,
        )


async def stages_out_of_time(stack: Stack) -> int:
    """How often a stage has run out of its time, all workers together."""
    async with httpx.AsyncClient(timeout=READY_S, trust_env=False) as client:
        text = (await client.get(f"{stack.admin}/metrics")).text
    return count_late_stages(text)


def _config(folder: Path, ports: list[int], workers: int) -> section.Config:
    """The demo's configuration on these ports: pool, admin, Envoy, plain Envoy, Envoy's admin."""
    base = packaged()
    clusters = {
        model.cluster: EnvoyCluster(endpoints=(f"{HOST}:{ports[0]}",)) for model in base.models.values()
    }
    envoy = {"listen": f"{HOST}:{ports[2]}", "admin": f"{HOST}:{ports[4]}", "clusters": clusters}
    changes = {
        "listen": f"unix:{folder}/{{worker}}.sock",
        "admin": base.admin.model_copy(update={"listen": f"{HOST}:{ports[1]}"}),
        "workers": workers,
        "models": {
            name: model.model_copy(update={"served_name": SERVED_NAME}) for name, model in base.models.items()
        },
        "envoy": base.envoy.model_copy(update=envoy),
        # In memory: several workers cannot share Milvus Lite, and a backend is not on the path that
        # is measured here (`bench cache` measures backends).
        "semantic_cache": base.semantic_cache.model_copy(update=_CACHE),
    }
    return base.model_copy(update=changes)


def plain_bootstrap(config: section.Config, listen: str) -> Any:  # Any: JSON
    """The same Envoy on another address, without our filters."""
    own = config.model_copy(
        update={"envoy": config.envoy.model_copy(update={"listen": listen, "admin": None})}
    )
    ours = {one.name for one in http_filters(config)}
    return _drop(tree_of(bootstrap(own)), ours)


def _drop(tree: Any, ours: set[str]) -> Any:  # Any: JSON
    match tree:
        case dict():
            kept = {key: value for key, value in tree.items() if key not in ours}
            return {key: _drop(value, ours) for key, value in kept.items()}
        case list():
            items = [item for item in tree if not (isinstance(item, dict) and item.get("name") in ours)]
            return [_drop(item, ours) for item in items]
    return tree


def _free_ports(count: int) -> list[int]:
    """Ports that are free now."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind((HOST, 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


async def _answers(child: Child, url: str) -> None:
    """Wait until it does.

    Raises:
        RouterError: the child ended, or does not answer within READY_S.
    """
    try:
        async with asyncio.timeout(READY_S), httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            await first_of(child.watch(), _until_ok(client, url))
    except TimeoutError as error:
        raise RouterError(f"no answer at {url} after {READY_S:g} s; the log:\n{child.tail()}") from error


async def _until_ok(client: httpx.AsyncClient, url: str) -> None:
    while not await _is_ok(client, url):  # noqa: ASYNC110 - another process gives no event
        await asyncio.sleep(_LOOK_EVERY_S)


async def _is_ok(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False
