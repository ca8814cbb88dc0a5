"""An Envoy that is told to stop finishes what it has begun: by the commands of the deployment files."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from router_extproc.envoy_config.render import render
from router_extproc.process.envoy import envoy_binary
from router_extproc.testing.pools import PoolAnswer, RecordingPool, running_pool
from router_extproc.testing.processes import start_process_async
from router_extproc.testing.stack import PATH, config_for, free_address

DEPLOY = Path(__file__).parents[2] / "deploy"
STREAMS = 10
LIMIT_S = 60.0
#: Five seconds of an answer, piece by piece.
ANSWER = PoolAnswer((b"data: x\n\n",) * 50, "text/event-stream", pause_s=0.1)
LONG = PoolAnswer((b"data: x\n\n",) * 400, "text/event-stream", pause_s=0.1)


@dataclass(frozen=True)
class Running:
    """An Envoy with streams under way."""

    process: asyncio.subprocess.Process
    url: str
    admin: str
    streams: Sequence[asyncio.Task[bool]]

    async def finished(self) -> int:
        """How many clients got their whole answer."""
        return sum(await asyncio.gather(*self.streams))

    async def refuses(self) -> None:
        """Until no new connection is taken."""
        host, port = self.url.removeprefix("http://").split(":")
        give_up_s = time.monotonic() + LIMIT_S
        while time.monotonic() < give_up_s:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except ConnectionError:
                return
            writer.close()
            await asyncio.sleep(0.05)
        raise TimeoutError


def environment(folder: Path) -> dict[str, str]:
    """With the real Envoy as `envoy`."""
    binary = folder / "bin" / "envoy"
    binary.parent.mkdir(exist_ok=True)
    if not binary.exists():
        binary.symlink_to(envoy_binary())
    return {**os.environ, "PATH": f"{binary.parent}:{os.environ['PATH']}"}


@asynccontextmanager
async def streaming(
    folder: Path, start: Sequence[str], answer: PoolAnswer, admin: str | None = None
) -> AsyncIterator[Running]:
    """Envoy by this command, with STREAMS answers under way."""
    admin = admin or free_address()
    async with running_pool("small") as pool, aiohttp.ClientSession() as session:
        pool.answer = answer
        config = config_for(pool.address, pool.address, folder, envoy={"admin": admin})
        (folder / "bootstrap.yaml").write_text(render(config, "bootstrap")["bootstrap.yaml"])
        words = [
            word.replace("/etc/envoy/bootstrap.yaml", str(folder / "bootstrap.yaml")).replace(
                "127.0.0.1:9901", admin
            )
            for word in start
        ]
        with (folder / "envoy.log").open("wb") as log:
            process = await start_process_async(*words, env=environment(folder), stdout=log, stderr=log)
        url = f"http://{config.envoy.listen}"
        try:
            await _accepting(session, url)
            streams = [asyncio.create_task(_read(session, url, answer)) for _ in range(STREAMS)]
            await _under_way(pool)
            yield Running(process, url, admin, streams)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _accepting(session: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                async with session.get(f"{url}/ready"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def _under_way(pool: RecordingPool) -> None:
    async with asyncio.timeout(LIMIT_S):
        while sum(request.path == PATH for request in pool.requests) < STREAMS:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)


async def _read(session: aiohttp.ClientSession, url: str, answer: PoolAnswer) -> bool:
    body = {"model": "auto", "messages": [{"role": "user", "content": "x"}], "stream": True}
    try:
        async with session.post(url + PATH, json=body) as response:
            return await response.read() == b"".join(answer.pieces)
    except aiohttp.ClientError:
        return False


def compose() -> list[str]:
    """How compose starts Envoy."""
    envoy = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["envoy"]
    words = [*envoy["entrypoint"], *envoy["command"]]
    return [word.replace("/usr/local/lib/drain-envoy.sh", str(DEPLOY / "drain-envoy.sh")) for word in words]


def kubernetes() -> tuple[list[str], list[str]]:
    """How Kubernetes starts Envoy, and what it runs before it stops it."""
    documents = yaml.safe_load_all((DEPLOY / "kubernetes" / "gateway.yaml").read_text())
    pod: Any = next(each for each in documents if each["kind"] == "Deployment")["spec"]["template"]["spec"]
    envoy = next(each for each in pod["containers"] if each["name"] == "envoy")
    hook = envoy["lifecycle"]["preStop"]["exec"]["command"]
    stop = [word.replace("/etc/envoy-drain", str(DEPLOY)) for word in hook]
    return [*envoy["command"], *envoy["args"]], stop


def systemd() -> tuple[list[str], list[str]]:
    """How systemd starts Envoy, and what it runs before it stops it."""
    lines = (DEPLOY / "systemd" / "envoy.service").read_text().splitlines()
    unit = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    start = shlex.split(
        unit["ExecStart"].replace("/usr/local/bin/envoy", "envoy").replace("/run/envoy/", "/etc/envoy/")
    )
    return start, shlex.split(
        unit["ExecStop"].replace("/etc/router-extproc/drain-envoy.sh", str(DEPLOY / "drain-envoy.sh"))
    )


async def run(words: Sequence[str], folder: Path) -> int:
    process = await start_process_async(*words, env=environment(folder))
    return await asyncio.wait_for(process.wait(), LIMIT_S)


async def test_without_a_drain_every_stream_is_cut(tmp_path: Path) -> None:
    """The reason for all of this; and these tests would notice."""
    start = ["envoy", "-c", "/etc/envoy/bootstrap.yaml", "--disable-hot-restart"]
    async with streaming(tmp_path, start, ANSWER) as running:
        running.process.terminate()
        assert await running.finished() == 0


async def test_compose_stops_envoy_when_the_last_stream_has_ended(tmp_path: Path) -> None:
    async with streaming(tmp_path, compose(), ANSWER) as running:
        running.process.terminate()
        await running.refuses()
        assert await running.finished() == STREAMS
        assert await asyncio.wait_for(running.process.wait(), LIMIT_S) == 0


async def test_kubernetes_hook_waits_for_the_last_stream(tmp_path: Path) -> None:
    start, stop = kubernetes()
    async with streaming(tmp_path, start, ANSWER) as running:
        stopping = asyncio.create_task(
            run([word.replace("127.0.0.1:9901", running.admin) for word in stop], tmp_path)
        )
        await running.refuses()
        assert await running.finished() == STREAMS
        assert await stopping == 0
        assert running.process.returncode is None
        running.process.terminate()
        await asyncio.wait_for(running.process.wait(), LIMIT_S)


async def test_systemds_stop_waits_for_the_last_stream(tmp_path: Path) -> None:
    """Over the socket: on a machine with other users, a port would let anybody stop Envoy."""
    start, stop = systemd()
    admin = f"unix:{tmp_path}/admin.sock"
    async with streaming(tmp_path, start, ANSWER, admin) as running:
        stopping = asyncio.create_task(
            run([word.replace("unix:/run/envoy/admin.sock", admin) for word in stop], tmp_path)
        )
        await running.refuses()
        assert await running.finished() == STREAMS
        assert await stopping == 0


async def test_a_drain_has_an_end(tmp_path: Path) -> None:
    """An answer may take longer than anybody wants to wait."""
    words = [("1" if word == "60" else word) for word in compose()]
    async with streaming(tmp_path, words, LONG) as running:
        running.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(running.process.wait(), LIMIT_S)
        assert await running.finished() == 0
    assert f"{STREAMS} requests are still in progress after 1 s" in (tmp_path / "envoy.log").read_text()


@pytest.mark.parametrize("admin", ["127.0.0.1:1", "unix:/nowhere/admin.sock"])
async def test_an_envoy_that_is_gone_is_not_waited_for(tmp_path: Path, admin: str) -> None:
    started_s = time.monotonic()
    assert await run(["bash", str(DEPLOY / "drain-envoy.sh"), admin, "60", "0"], tmp_path) == 0
    assert time.monotonic() - started_s < LIMIT_S / 2
