"""The product as `serve` runs it: workers, a real Envoy in front of them, two recording pools behind."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from router_extproc.config.model import Config
from router_extproc.errors import RouterError
from router_extproc.testing.envoy_process import EnvoyProcess
from router_extproc.testing.json_lines import read_log_lines
from router_extproc.testing.pools import RecordingPool, running_pool
from router_extproc.testing.processes import start_process_async
from router_extproc.testing.stack import ROOT, envoy_of, free_address

LIMIT_S: Final = 60.0
OK: Final = 200
QUICK: Final = {"interval_s": 0.2, "timeout_s": 0.5, "unhealthy_threshold": 2}


class ProductFailed(RouterError):
    """The server ended or did not get ready, or something was waited for in vain."""


@dataclass
class Product:
    """One worker, Envoy in front of it, and the pools behind."""

    config: Config
    url: str
    log: Path
    server: Process
    session: aiohttp.ClientSession = field(repr=False)
    small: RecordingPool
    large: RecordingPool
    #: None until it runs.
    envoy: EnvoyProcess | None = None

    async def ask(
        self, prompt: str, model: str = "large", **members: Any
    ) -> tuple[int, dict[str, str], Any]:  # Any: members of the body, and the answer
        """A chat completion asked through Envoy."""
        messages = [{"role": "user", "content": prompt}]
        status, headers, body = await self.send({"model": model, "messages": messages, **members})
        return status, headers, body

    async def send(self, body: Any) -> tuple[int, dict[str, str], Any]:  # Any: JSON
        """Any body for chat completions; the answer's is read as JSON."""
        url, told = f"{self.url}/v1/chat/completions", {"content-type": "application/json"}
        written = io.BytesIO(json.dumps(body, ensure_ascii=False).encode())
        async with self.session.post(url, data=written, headers=told) as reply:
            headers = {name.lower(): value for name, value in reply.headers.items()}
            return reply.status, headers, await reply.json()

    async def admin(self, path: str) -> str:
        """What the admin port says."""
        async with self.session.get(f"http://{self.config.admin}{path}") as reply:
            return await reply.text()

    async def metric(self, name: str) -> float | None:
        """The first sample whose name and labels begin so."""
        for line in (await self.admin("/metrics")).splitlines():
            if line.startswith(f"router_extproc_{name}"):
                return float(line.rpartition(" ")[2])
        return None

    async def until(self, name: str, value: float) -> None:
        """Wait until a metric has the value."""
        give_up_s = time.monotonic() + LIMIT_S
        while await self.metric(name) != value:
            if time.monotonic() > give_up_s:
                raise ProductFailed(f"{name} never was {value}")
            await asyncio.sleep(0.05)

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The server's lines with this event."""
        return [line for line in read_log_lines(self.log) if line["event"] == event]

    def kill_server(self) -> None:
        """End the server at once."""
        self.server.send_signal(signal.SIGKILL)


@asynccontextmanager
async def running_product(
    folder: Path,
    *,
    rendered_from: Callable[[Config], Config] = lambda config: config,
    sections: Callable[[RecordingPool, RecordingPool], dict[str, Any]] | None = None,
) -> AsyncIterator[Product]:
    """The product inside the block.

    sections: of the configuration, beside those that every product has.
    """
    async with AsyncExitStack() as opened:
        small, large = [await opened.enter_async_context(running_pool(name)) for name in ("small", "large")]
        own = with_fallback(small, large) if sections is None else sections(small, large)
        config = _config(folder, own)
        (folder / "router.yaml").write_text(config.model_dump_json(), encoding="utf-8")
        log = folder / "serve.log"
        command = [sys.executable, "-m", "router_extproc", "serve", "-c", str(folder / "router.yaml")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with log.open("wb") as output:
            process = await start_process_async(*command, stdout=output, stderr=output, env=environment)
        opened.push_async_callback(process.wait)
        opened.callback(_end, process)
        session = await opened.enter_async_context(aiohttp.ClientSession())
        product = Product(config, f"http://{config.envoy.listen}", log, process, session, small, large)
        await _ready(product)
        envoy = envoy_of(rendered_from(config), folder)
        running = product.envoy = await asyncio.to_thread(envoy.__enter__)
        opened.callback(envoy.__exit__, None, None, None)
        name = "cluster.router_extproc.membership_healthy"
        await within(lambda: running.counters(name)[name] == config.workers)
        yield product


def clusters_of(small: RecordingPool, large: RecordingPool, **settings: Any) -> dict[str, Any]:
    """The section `envoy.clusters` of the two pools, each with these settings."""
    own = {"health": QUICK, **settings}
    return {
        "vllm_small": {"endpoints": [small.address], **own},
        "vllm_large": {"endpoints": [large.address], **own},
    }


def with_fallback(small: RecordingPool, large: RecordingPool) -> dict[str, Any]:
    """The small model stands in for the large one, when its pool is known to be down."""
    models = {
        "small": {"cluster": "vllm_small", "served_name": "tiny-small"},
        "large": {"cluster": "vllm_large", "served_name": "tiny-large", "fallback": "small"},
    }
    envoy = {"clusters": clusters_of(small, large)}
    return {"models": models, "default_model": "large", "failover": False, "envoy": envoy}


def _config(folder: Path, sections: dict[str, Any]) -> Config:
    envoy = {"listen": free_address(), "admin": free_address(), **sections.pop("envoy")}
    return Config.model_validate(
        {
            "version": 1,
            "listen": f"unix:{folder}/{{worker}}.sock",
            "admin": free_address(),
            "limits": {"message_timeout_s": 5.0, "drain_s": 0.5},
            "semantic_cache": {"enabled": True, "scope": "shared"},
            "envoy": envoy,
            **sections,
        }
    )


def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()


async def _ready(product: Product) -> None:
    give_up_s = time.monotonic() + LIMIT_S
    while True:
        if product.server.returncode is not None or time.monotonic() > give_up_s:
            raise ProductFailed(product.log.read_text(encoding="utf-8"))
        try:
            async with product.session.get(f"http://{product.config.admin}/readyz") as reply:
                if reply.status == OK:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)


async def within(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    give_up_s = time.monotonic() + LIMIT_S
    while not holds():
        if time.monotonic() > give_up_s:
            raise ProductFailed("never held")
        await asyncio.sleep(0.05)
