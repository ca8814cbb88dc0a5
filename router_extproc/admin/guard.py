"""Applies the rules of access to every request of the admin port, whatever its route."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from router_extproc.admin.access import Access, Asked, Reason, needs, refusal
from router_extproc.admin.replies import json_reply
from router_extproc.telemetry.logging import get_logger

#: For each reason; the metric counts them all.
WARN_EVERY_S: Final = 10.0

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Refuses what `access` does not allow, counts it, and says so in the log from time to time."""

    def __init__(self, access: Access, count: Callable[[str], None]) -> None:
        """`count` gets the reason of each refusal."""
        self._access: Final = access
        self._count: Final = count
        self._warned_s: Final[dict[Reason, float]] = {}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        """Answer, or refuse before anything of the body is read."""
        resource = request.match_info.route.resource
        # An unknown path or method has no resource, and needs the most.
        need = needs(request.method, "" if resource is None else resource.canonical)
        refused = refusal(asked(request), need, self._access)
        if refused is None:
            return await handler(request)
        self._count(refused.reason)
        self._warn(refused.reason)
        reply = json_reply({"error": refused.message}, status=refused.status)
        if refused.status == web.HTTPUnauthorized.status_code:
            reply.headers["www-authenticate"] = 'Bearer realm="router_extproc admin"'
        return reply

    def _warn(self, reason: Reason) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._warned_s.get(reason, -WARN_EVERY_S) >= WARN_EVERY_S:
            self._warned_s[reason] = now_s
            get_logger().warning("admin request refused", reason=reason)


def asked(request: web.Request) -> Asked:
    """What the rules look at."""

    def values(name: str) -> tuple[str, ...]:
        return tuple(request.headers.getall(name, ()))

    return Asked(
        request.method,
        values("host"),
        # Of `GET http://name/ HTTP/1.1` it is the target's.
        request.host,
        values("origin"),
        values("sec-fetch-site"),
        values("authorization"),
        request.content_type,
    )
