"""Starts Envoy, the sidecar with Milvus Lite and two pools, and stops all of it again.

Nothing is started on a port that somebody has, everything that was started is stopped, every wait has an
end, and a sidecar that was killed comes back: Envoy and its clients only notice that nothing is routed
for a while.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import httpx

from router_extproc.address import UnixAddress
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.demo.configuration import HOST, of_this_run, packaged, prepare_folder, write
from router_extproc.demo.draining import drain_envoy
from router_extproc.demo.frozen import kill_when_frozen
from router_extproc.demo.pool import LATENCY_S, DemoPool
from router_extproc.demo.pools import Pool, ask_pool, read_pools
from router_extproc.demo.secrets import secrets_of
from router_extproc.demo.stops import Stops
from router_extproc.errors import ConfigError, ModelNotFound, RouterError
from router_extproc.models.onnx.building.ensure import ensure_models
from router_extproc.models.onnx.home import home, models_folder
from router_extproc.process.child import Child, ChildEnded, first_of
from router_extproc.process.envoy import envoy_binary
from router_extproc.process.supervisor import EXIT_REFUSED, RESTARTS, restart_wait_s
from router_extproc.socket_folders import socket_folder

#: For the sidecar and Envoy to be ready, each: seconds, but minutes on a machine that does much else.
READY_S: Final = 240.0
_LOOK_EVERY_S: Final = 0.05
#: A name that no pool serves.
NOBODY: Final = secrets.token_hex(8)

Say = Callable[[str], None]


class NotReady(RouterError):
    """A child runs but does not answer in time."""


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What may be chosen for a demo."""

    port: int
    admin_port: int
    folder: Path
    #: The text of POOLS.
    pools: str = ""
    latency_s: float = LATENCY_S
    #: Leave the answers of the last run in the cache.
    keep_cache: bool = False
    #: In place of the packaged configuration; this run's ports, pools and files still replace its own.
    config: Path | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """What runs now."""

    config: Config
    #: Name to URL.
    pools: Mapping[str, str]
    stand_ins: tuple[str, ...]
    sidecar: Child
    envoy: Child
    seconds: float


async def run_demo(settings: DemoSettings, *, say: Say, show: Callable[[Started], None]) -> None:
    """Run until a signal asks to stop; `say` hears each step, `show` what was started.

    Raises:
        ConfigError: a port is taken, or POOLS is wrong.
        RouterError: a child ended or did not get ready.
    """
    stops = Stops()
    async with AsyncExitStack() as stack:
        stack.enter_context(stops.listening(say))
        stop = stops.asked
        started = await first_of(_start(settings, stack, stops, say), stop.wait())
        if isinstance(started, Started):
            show(started)
            await first_of(stop.wait(), _keep(started, say), started.envoy.watch())
        say("stopping")


async def _start(settings: DemoSettings, stack: AsyncExitStack, stops: Stops, say: Say) -> Started:
    begun_s = time.monotonic()
    _check_ports(settings)
    envoy_binary()  # said before anything is built, when there is none
    base = packaged() if settings.config is None else read_config(settings.config)
    taken = {} if settings.config is None else secrets_of(base, settings.config, os.environ)
    asked = read_pools(settings.pools, base.models)
    await _prepare_models(say)
    _prepare_folder(settings)
    say("starting the pools")
    pools = {name: await _pool(name, base, asked, settings, stack) for name in base.models}
    sockets = stack.enter_context(socket_folder())
    config = of_this_run(
        base,
        folder=settings.folder.resolve(),
        socket=sockets / "0.sock",
        port=settings.port,
        admin_port=settings.admin_port,
        pools=pools,
    )
    admin = sockets / "envoy.sock"
    config = _with_envoy_admin(config, admin)
    sidecar, envoy = await _start_children(config, settings, taken, stack, say)
    # Called first: what is under way is finished, then Envoy stops, then the sidecar that observes it.
    stack.push_async_callback(_drain, admin, stops, say)
    urls = {name: f"{'https' if pool.tls else 'http'}://{pool.endpoint}" for name, pool in pools.items()}
    stand_ins = tuple(name for name in pools if name not in asked)
    return Started(config, urls, stand_ins, sidecar, envoy, time.monotonic() - begun_s)


def _with_envoy_admin(config: Config, socket: Path) -> Config:
    """The configuration with Envoy's admin interface on a socket in the private folder."""
    envoy = config.envoy.model_copy(update={"admin": str(UnixAddress(str(socket)))})
    return config.model_copy(update={"envoy": envoy})


async def _drain(admin: Path, stops: Stops, say: Say) -> None:
    say("finishing answers in progress; Ctrl-C again cuts them")
    left = await drain_envoy(admin, stops.at_once)
    if left:
        say(f"cutting {left} answers in progress")


async def _keep(started: Started, say: Say) -> NoReturn:
    """Start the sidecar again whenever it ends or freezes; until it is back, Envoy goes on without it.

    Raises:
        ChildEnded: it refuses to start.
    """
    sidecar, health = started.sidecar, f"http://{started.config.admin}/healthz"
    wait_s = 0.0
    while True:
        started_s = time.monotonic()
        ended = await _ending(sidecar, health)
        if ended.code == EXIT_REFUSED:
            raise ended
        say(f"the sidecar ended ({ended.ending}): restarting it; until then the default pool answers")
        wait_s = restart_wait_s(RESTARTS, wait_s, time.monotonic() - started_s)
        await asyncio.sleep(wait_s)
        await sidecar.start_again()


async def _ending(child: Child, health: str) -> ChildEnded:
    try:
        await first_of(child.watch(), kill_when_frozen(child, health))
    except ChildEnded as ended:
        return ended


def _check_ports(settings: DemoSettings) -> None:
    for option, port in (("--port", settings.port), ("--admin-port", settings.admin_port)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise ConfigError(
                    option, f"port {port} on {HOST} is in use: choose another with {option}"
                ) from error


async def _prepare_models(say: Say) -> None:
    def on_step(step: str) -> None:
        say(f"building the models (once): {step}")

    await asyncio.to_thread(ensure_models, models_folder(home()), on_step=on_step)


def _prepare_folder(settings: DemoSettings) -> None:
    prepare_folder(settings.folder)
    if not settings.keep_cache:
        for left in settings.folder.glob("cache.db*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


async def _pool(
    name: str, config: Config, asked: Mapping[str, str], settings: DemoSettings, stack: AsyncExitStack
) -> Pool:
    if name in asked:
        return await ask_pool(name, asked[name])
    served_name = config.models[name].served_name or name
    pool = DemoPool(name, served_name, latency_s=settings.latency_s)
    stack.push_async_callback(pool.aclose)
    return Pool(f"{HOST}:{await pool.start(HOST)}", tls=False, served_name=served_name)


async def _start_children(
    config: Config, settings: DemoSettings, taken: Mapping[str, str], stack: AsyncExitStack, say: Say
) -> tuple[Child, Child]:
    router, envoy = write(config, settings.folder, taken)
    say("starting the sidecar and Envoy")
    serve = [sys.executable, "-m", "router_extproc", "serve", "--config", str(router)]
    sidecar = await Child.start("the sidecar", serve, settings.folder / "sidecar.log")
    stack.push_async_callback(sidecar.stop)
    # Without hot restart several Envoys may run side by side on one machine.
    options = ["--disable-hot-restart", "--drain-strategy", "immediate", "--log-level", "warn"]
    command = [envoy_binary(), "-c", str(envoy), *options]
    ready, path = f"http://{config.admin}/readyz", f"http://{config.envoy.listen}/v1/chat/completions"
    await _until(sidecar, f"an answer at {ready}", lambda client: _is_ready(client, ready))
    # Not before: it would accept requests that nobody reads.
    proxy = await Child.start("Envoy", command, settings.folder / "envoy.log")
    stack.push_async_callback(proxy.stop)
    await _until(proxy, f"the sidecar's answer at {path}", lambda client: _is_routed(client, path))
    return sidecar, proxy


async def _until(child: Child, what: str, ask: Callable[[httpx.AsyncClient], Awaitable[bool]]) -> None:
    """Wait until asking says yes; `what` says what was waited for."""
    try:
        async with asyncio.timeout(READY_S), httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            await first_of(child.watch(), _repeat(client, ask))
    except TimeoutError as error:
        text = f"{child.name} runs, but {what} is not there after {READY_S:g} s; its log:\n{child.tail()}"
        raise NotReady(text) from error


async def _repeat(client: httpx.AsyncClient, ask: Callable[[httpx.AsyncClient], Awaitable[bool]]) -> None:
    while not await ask(client):  # noqa: ASYNC110 - another process tells us nothing
        await asyncio.sleep(_LOOK_EVERY_S)


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False


async def _is_routed(client: httpx.AsyncClient, url: str) -> bool:
    """True when Envoy asks the sidecar: only that refuses an unknown model in these words.

    Until Envoy has found the sidecar healthy, requests go unread to the default pool.
    """
    question = {"model": f"nobody-{NOBODY}", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    try:
        error = (await client.post(url, json=question)).json()["error"]
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return False
    return isinstance(error, dict) and error.get("code") == ModelNotFound.code
