"""A real Envoy with a rendered configuration, the real server beside it, two pools behind it.

Only the models behind the server and the pools are made up. Every process that was started is gone when
the block is left.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from router_extproc.config.model import Config
from router_extproc.envoy_config.render import render
from router_extproc.testing.envoy_process import EnvoyProcess, running_envoy
from router_extproc.testing.json_lines import read_json_lines
from router_extproc.testing.pools import RecordingPool, running_pool
from router_extproc.testing.ports import HOST, free_port
from router_extproc.testing.processes import start_process
from router_extproc.testing.router import WAIT_S as WAIT_FOR_EQUAL_S
from router_extproc.testing.served_router import OLD_HEADERS, PREFIXES

ROOT = Path(__file__).parents[2]
WAIT_S = 30.0
#: A worker starts in a second, and Envoy finds it in another; a loaded machine takes its time.
JOIN_S = 90.0
PATH = "/v1/chat/completions"


def free_address() -> str:
    """A free port of the loopback interface, with the interface."""
    return f"{HOST}:{free_port()}"


@dataclass(slots=True)
class Worker:
    """One server process, which may be killed, stopped and started again."""

    listen: str
    events_file: Path
    config: Config
    process: subprocess.Popen[bytes] | None = None
    _seen: int = 0
    #: Events from before its last start.
    _began: int = 0

    def start(self) -> None:
        """Start it; its first stream may come a second later, when Envoy's health check finds it."""
        self._began = len(self._all_events())
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if self.config.envoy.compatible_headers is not None:
            environment[OLD_HEADERS] = "1"
        environment[PREFIXES] = " ".join(self.config.envoy.path_prefixes)
        command = [
            sys.executable,
            "-m",
            "router_extproc.testing.served_router",
            self.listen,
            str(self.events_file),
            str(self.config.limits.max_exchanges),
            str(self.config.limits.max_body_bytes),
            *_certificate(self.config),
        ]
        self.process = start_process(command, env=environment)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; after SIGKILL it is gone when this returns."""
        if self.process is None:
            raise RuntimeError("not started")
        self.process.send_signal(number)
        if number is signal.SIGKILL:
            self.process.wait(WAIT_S)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(WAIT_S)

    def events(self) -> list[dict[str, Any]]:
        """What it has seen since `forget`."""
        return self._all_events()[self._seen :]

    def forget(self) -> None:
        """Start a new list of events."""
        self._seen = len(self._all_events())

    def is_quiet(self) -> bool:
        """True when every stream since its start is over for it, too: Envoy may have been done before."""
        counts = Counter(event["event"] for event in self._all_events()[self._began :])
        return counts["opened"] == counts["closed"]

    def _all_events(self) -> list[dict[str, Any]]:
        return read_json_lines(self.events_file)


def _certificate(config: Config) -> list[str]:
    tls = config.listen_tls
    if tls is None:
        return []
    return [file for file in (tls.cert_file, tls.key_file, tls.client_ca_file) if file is not None]


@dataclass(slots=True)
class Stack:
    """All that runs for one module's tests."""

    envoy: EnvoyProcess
    workers: list[Worker]
    small: RecordingPool
    large: RecordingPool
    config: Config
    session: aiohttp.ClientSession = field(repr=False)

    @property
    def worker(self) -> Worker:
        """The only worker of most stacks."""
        return self.workers[0]

    async def chat(self, prompt: str = "Hello", *, path: str = PATH, **more: Any) -> Reply:
        """A chat completion asked through Envoy; `more` is for aiohttp."""
        body = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
        return await self.send("POST", path, json=body, **more)

    async def send(self, method: str, path: str, **more: Any) -> Reply:
        """Any request through Envoy."""
        timeout = aiohttp.ClientTimeout(total=WAIT_S)
        async with self.session.request(method, self.envoy.url + path, timeout=timeout, **more) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, headers, await response.read())

    async def until(self, holds: Callable[[], bool], *, within_s: float = JOIN_S) -> None:
        """Wait until something holds."""
        give_up_s = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > give_up_s:
                raise TimeoutError(f"not within {within_s} s")
            await asyncio.sleep(0.02)

    async def joined(self) -> None:
        """Wait until every worker is in use."""
        await self.until(lambda: self.healthy() == len(self.workers))

    async def quiet(self) -> None:
        """Wait until no stream to a worker is open, for Envoy and for the workers."""
        name = "cluster.router_extproc.upstream_rq_active"
        await self.until(lambda: self.envoy.counters(name)[name] == 0)
        await self.until(lambda: all(worker.is_quiet() for worker in self.workers))

    def healthy(self) -> int:
        """Workers that Envoy would send an exchange to."""
        return self.envoy.counters("cluster.router_extproc.membership_healthy")[
            "cluster.router_extproc.membership_healthy"
        ]

    def observed(self) -> list[dict[str, Any]]:
        """Events of observing streams."""
        return [event for worker in self.workers for event in worker.events() if event["role"] == "observe"]

    def observer_closed(self) -> bool:
        """An observing stream is over."""
        return any(event["event"] == "closed" for event in self.observed())

    def reset(self) -> None:
        """Forget what earlier tests did."""
        self.small.reset()
        self.large.reset()
        for worker in self.workers:
            worker.forget()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client got."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def config_for(small: str, large: str, folder: Path, **sections: Any) -> Config:
    """A configuration with two pools on these addresses, workers on sockets in `folder`."""
    envoy = {
        "listen": free_address(),
        "admin": free_address(),
        "clusters": {"vllm_small": {"endpoints": [small]}, "vllm_large": {"endpoints": [large]}},
        **sections.pop("envoy", {}),
    }
    models = {"small": {"cluster": "vllm_small"}, "large": {"cluster": "vllm_large"}}
    return Config.model_validate(
        {
            "version": 1,
            "listen": f"unix:{folder}/{{worker}}.sock",
            "default_model": "small",
            "models": models,
            # Generous: a loaded test machine must not look like a dead server. Small: bodies over the limit.
            "limits": {"message_timeout_s": 2.0, "max_body_bytes": 1024 * 1024},
            "semantic_cache": {"enabled": True, "coalescing": {"wait_s": WAIT_FOR_EQUAL_S}},
            "envoy": envoy,
            **sections,
        }
    )


@contextmanager
def envoy_of(config: Config, folder: Path, bootstrap: str | None = None) -> Iterator[EnvoyProcess]:
    """Envoy with the rendered bootstrap, or another one."""
    file = folder / "bootstrap.yaml"
    file.write_text(bootstrap or render(config, "bootstrap")["bootstrap.yaml"])
    with running_envoy(
        file, listen=config.envoy.listen, admin=config.envoy.admin, log=folder / "envoy.log"
    ) as envoy:
        yield envoy


@asynccontextmanager
async def running_stack(
    folder: Path, *, bootstrap: Callable[[Config], str] | None = None, joined: bool = True, **sections: Any
) -> AsyncIterator[Stack]:
    """Pools, workers and Envoy, ready for requests; not `joined`: Envoy may never use the workers."""
    async with running_pool("small") as small, running_pool("large") as large:
        config = config_for(small.address, large.address, folder, **sections)
        addresses = config.worker_addresses()
        workers = [Worker(listen, folder / f"events-{i}.jsonl", config) for i, listen in enumerate(addresses)]
        for worker in workers:
            worker.start()
        try:
            with ExitStack() as running:
                wanted = envoy_of(config, folder, bootstrap(config) if bootstrap else None)
                # In a thread: meanwhile the pools, which live here, answer Envoy's first health check.
                envoy = await asyncio.to_thread(running.enter_context, wanted)
                async with aiohttp.ClientSession() as session:
                    stack = Stack(envoy, workers, small, large, config, session)
                    if joined:
                        await stack.joined()
                    yield stack
        finally:
            for worker in workers:
                worker.stop()
