"""The admin HTTP server: metrics, health, explain, the dashboard, and (`cache_routes.py`) the cache.

It changes nothing in the process but the cache. The rule it keeps: it answers to local names only while
it listens locally, so that no web page in an operator's browser can ask it.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Final

import orjson
from aiohttp import web

from router_extproc.admin import cache_routes
from router_extproc.admin.base import Operations, Question
from router_extproc.admin.cache_desk import CacheDesk
from router_extproc.admin.cache_routes import EXPORT, CacheRoutes
from router_extproc.admin.explained import explained
from router_extproc.config.address import host_port
from router_extproc.errors import ConfigError
from router_extproc.telemetry.exposition import CONTENT_TYPE

#: For any answer of ours, in seconds.
ANSWER_S: Final = 5.0
#: For open connections when the server closes, in seconds.
CLOSE_S: Final = 1.0
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
#: The page needs its own inline script and style, and this server; nothing else may load.
_PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AdminServer:
    """Serves one process's `Operations`; to be started and closed where the event loop runs."""

    def __init__(
        self, operations: Operations, address: str, *, max_body_bytes: int, cache: CacheDesk | None = None
    ) -> None:
        """`address` is HOST:PORT, or unix:PATH for a worker that is asked by another.

        cache: None while the cache is off.
        """
        self._cache: Final = CacheRoutes(cache)
        self._operations: Final = operations
        self._address: Final = address
        self._max_body_bytes: Final = max_body_bytes
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port it is bound to (when it was asked for port 0)."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("not started")
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            ConfigError: the address cannot be had.
        """
        runner = web.AppRunner(
            self._application(), access_log=None, handle_signals=False, shutdown_timeout=CLOSE_S
        )
        await runner.setup()
        try:
            await self._site(runner).start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigError("admin", self._why_not(error)) from error
        self._runner = runner

    async def aclose(self) -> None:
        """Stop listening; requests under way have CLOSE_S."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _why_not(self, error: OSError) -> str:
        if error.errno != errno.EADDRINUSE:
            return f"cannot listen on {self._address}: {os.strerror(error.errno or 0)}"
        return f"{self._address} is in use; set admin to another HOST:PORT"

    def _site(self, runner: web.AppRunner) -> web.BaseSite:
        if self._address.startswith("unix:"):
            return web.UnixSite(runner, self._address.removeprefix("unix:"))
        host, port = host_port(self._address) or ("", 0)
        return web.TCPSite(runner, host, port)

    def _application(self) -> web.Application:
        application = web.Application(
            middlewares=[self._local_names_only, _in_time], client_max_size=self._max_body_bytes
        )
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/healthz", _alive)
        application.router.add_get("/readyz", self._ready)
        application.router.add_post("/explain", self._explain)
        application.router.add_get("/", _dashboard)
        self._cache.add_to(application)
        return application

    @web.middleware
    async def _local_names_only(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        """Refuse a foreign `host` while bound to loopback: it is a page that rebound its name to us."""
        bound = host_port(self._address)
        asked = request.url.host
        if bound is not None and bound[0] in LOOPBACK and asked not in LOOPBACK:
            return _json({"error": "this port answers to local names only"}, status=403)
        return await handler(request)

    async def _metrics(self, _request: web.Request) -> web.StreamResponse:
        text = await self._operations.metrics()
        return web.Response(body=text, headers={"content-type": CONTENT_TYPE})

    async def _ready(self, _request: web.Request) -> web.StreamResponse:
        health = await self._operations.health()
        ready = health.ready and not health.draining
        shown = {"ready": ready, "draining": health.draining, **health.detail}
        return _json(shown, status=200 if ready else 503)

    async def _explain(self, request: web.Request) -> web.StreamResponse:
        question = Question(
            "POST",
            request.query.get("path", "/v1/chat/completions"),
            tuple((name.lower(), value) for name, value in request.headers.items()),
            await request.read(),
        )
        decision = await self._operations.explain(question)
        if decision is None:
            return _json({"error": "no dialect knows this path"}, status=404)
        return _json(explained(decision))


@web.middleware
async def _in_time(request: web.Request, handler: Answer) -> web.StreamResponse:
    limit_s = _limit_s(request.path)
    try:
        async with asyncio.timeout(limit_s):
            return await handler(request)
    except TimeoutError:
        return _json({"error": f"no answer within {limit_s:g} s"}, status=503)


def _limit_s(path: str) -> float | None:
    if path == EXPORT:
        return None  # as long as there is more, and somebody takes it
    return cache_routes.ANSWER_S if path.startswith("/cache") else ANSWER_S


async def _alive(_request: web.Request) -> web.StreamResponse:
    return _json({"alive": True})


async def _dashboard(_request: web.Request) -> web.StreamResponse:
    page = resources.files("router_extproc.admin").joinpath("dashboard.html").read_bytes()
    return web.Response(
        body=page,
        headers={
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": _PAGE_POLICY,
            "cache-control": "no-cache",
        },
    )


def _json(value: object, *, status: int = 200) -> web.Response:
    body = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS)
    return web.Response(body=body, status=status, content_type="application/json")
