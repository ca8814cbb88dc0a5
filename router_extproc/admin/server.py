"""The admin HTTP server: metrics, health, explain, the dashboard, the cache and the policy.

Who may ask what is decided for all routes alike (`access.py`). Only the cache (`cache/routes.py`) and the
policy (`policy.py`) can be changed here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from router_extproc.address import is_unix
from router_extproc.admin import policy as policy_routes
from router_extproc.admin.access import EVALUATIONS, SAVINGS, Access
from router_extproc.admin.base import Operations, PolicyControl, Question
from router_extproc.admin.cache import routes as cache_routes
from router_extproc.admin.cache.operations import CacheOperations
from router_extproc.admin.cache.routes import EXPORT, CacheRoutes
from router_extproc.admin.client_headers import client_headers
from router_extproc.admin.explained import explained_whole
from router_extproc.admin.guard import Guard
from router_extproc.admin.listening import CONNECTIONS_MAX, Listening
from router_extproc.admin.page import dashboard
from router_extproc.admin.peers import SHARED, SHARED_BYTES_MAX
from router_extproc.admin.policy import PolicyRoutes
from router_extproc.admin.replies import add_careful_headers, json_reply
from router_extproc.errors import ConfigError
from router_extproc.telemetry.metrics.exposition import CONTENT_TYPE

#: For any answer of ours, in seconds.
ANSWER_S: Final = 5.0

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AdminServer:
    """Serves one process's `Operations`; to be started and closed where the event loop runs."""

    def __init__(
        self,
        operations: Operations,
        address: str,
        *,
        max_body_bytes: int,
        cache: CacheOperations | None = None,
        policy: PolicyControl | None = None,
        access: Access | None = None,
        metrics: str | None = None,
        shared: Callable[[bytes], bytes] | None = None,
        answer_s: float = ANSWER_S,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        """`address` is HOST:PORT, or unix:PATH for a worker that is asked by another.

        cache: None while the cache is off.
        policy: None where nothing can be reloaded.
        access: None for the address without names and token.
        metrics: HOST:PORT of a second port that has metrics and health only, and asks nothing of anybody.
        shared: answers the keeper of shared values, on a worker's own socket.
        """
        self._operations: Final = operations
        self._answer_s: Final = answer_s
        self._max_body_bytes = max_body_bytes
        # Only this user's processes can open a socket of ours (server.listen): nothing is asked of them.
        trusted = is_unix(address)
        self._access: Final = None if trusted else access or Access.of(address)
        self._shared: Final = shared if trusted else None
        if self._shared is not None:
            self._max_body_bytes = SHARED_BYTES_MAX
        self._cache: Final = CacheRoutes(cache, with_token=self._with_token)
        self._policy: Final = PolicyRoutes(policy)
        self._main: Final = Listening(self.application(), address, "admin", connections_max=connections_max)
        self._metrics: Final = (
            None
            if metrics is None
            else Listening(
                self.metrics_application(), metrics, "admin.metrics", connections_max=connections_max
            )
        )

    @property
    def port(self) -> int:
        """The port it is bound to (when it was asked for port 0)."""
        return self._main.port

    @property
    def metrics_port(self) -> int:
        """The same of the second port."""
        if self._metrics is None:
            raise RuntimeError("there is none")
        return self._metrics.port

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            ConfigError: an address cannot be had.
        """
        await self._main.start()
        if self._metrics is not None:
            try:
                await self._metrics.start()
            except ConfigError:
                await self._main.aclose()
                raise

    async def aclose(self) -> None:
        """Stop listening; requests under way have CLOSE_S."""
        if self._metrics is not None:
            await self._metrics.aclose()
        await self._main.aclose()

    def application(self) -> web.Application:
        """Everything, behind the rules of access."""
        guards = [] if self._access is None else [Guard(self._access, self._operations.refused).middleware]
        application = web.Application(
            middlewares=[*guards, self._in_time], client_max_size=self._max_body_bytes
        )
        application.on_response_prepare.append(add_careful_headers)
        self._add_numbers(application)
        application.router.add_post("/explain", self._explain)
        application.router.add_get("/", dashboard)
        application.router.add_get(SAVINGS, self._savings, allow_head=False)
        application.router.add_get(EVALUATIONS, self._evaluations, allow_head=False)
        if self._shared is not None:
            application.router.add_post(SHARED, self._share)
        self._cache.add_to(application)
        self._policy.add_to(application)
        return application

    def metrics_application(self) -> web.Application:
        """Metrics and health, which say nothing of what clients wrote."""
        application = web.Application(middlewares=[self._in_time], client_max_size=1)
        application.on_response_prepare.append(add_careful_headers)
        self._add_numbers(application)
        return application

    def _add_numbers(self, application: web.Application) -> None:
        application.router.add_get("/metrics", self._metrics_text)
        application.router.add_get("/healthz", _alive)
        application.router.add_get("/readyz", self._ready)

    @web.middleware
    async def _in_time(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        limit_s = self._limit_s(request.path)
        try:
            async with asyncio.timeout(limit_s):
                return await handler(request)
        except TimeoutError:
            return json_reply({"error": f"no answer within {limit_s:g} s"}, status=503)

    def _limit_s(self, path: str) -> float | None:
        if path == EXPORT:
            return None  # as long as there is more, and somebody takes it
        if path.startswith(policy_routes.PATH):
            return policy_routes.ANSWER_S
        return cache_routes.ANSWER_S if path.startswith("/cache") else self._answer_s

    @property
    def _with_token(self) -> bool:
        return self._access is not None and self._access.token is not None

    async def _metrics_text(self, _request: web.Request) -> web.StreamResponse:
        text = await self._operations.metrics()
        return web.Response(body=text, headers={"content-type": CONTENT_TYPE})

    async def _savings(self, _request: web.Request) -> web.StreamResponse:
        return json_reply(self._operations.savings())

    async def _evaluations(self, _request: web.Request) -> web.StreamResponse:
        return json_reply(self._operations.evaluations())

    async def _ready(self, _request: web.Request) -> web.StreamResponse:
        health = await self._operations.health()
        ready = health.ready and not health.draining
        shown = {"ready": ready, "draining": health.draining, **health.detail}
        return json_reply(shown, status=200 if ready else 503)

    async def _share(self, request: web.Request) -> web.StreamResponse:
        if self._shared is None:
            raise web.HTTPNotFound
        try:
            answer = self._shared(await request.read())
        except ValueError:
            return json_reply({"error": "not a message of a keeper"}, status=400)
        return web.Response(body=answer, content_type="application/json")

    async def _explain(self, request: web.Request) -> web.StreamResponse:
        question = Question(
            "POST",
            request.query.get("path", "/v1/chat/completions"),
            client_headers(request.headers.items(), with_token=self._with_token),
            await request.read(),
        )
        whole = await self._operations.explain(question)
        if whole is None:
            return json_reply({"error": "nothing is understood at this path"}, status=404)
        return json_reply(explained_whole(whole))


async def _alive(_request: web.Request) -> web.StreamResponse:
    return json_reply({"alive": True})
