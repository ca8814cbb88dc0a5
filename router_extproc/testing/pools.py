"""Small HTTP pools that remember what they were sent, for tests behind a real Envoy.

What a pool answers is set by the test, and what it got is kept byte by byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from ssl import SSLContext
from typing import Final

from aiohttp import web

#: Larger requests are counted, not kept.
_KEPT_BYTES: Final = 4 * 1024 * 1024
HEALTH_PATH: Final = "/health"
#: Longer than any test waits.
HANGS_S: Final = 600
_FIELD_BYTES: Final = 128 * 1024


@dataclass(frozen=True, slots=True)
class PoolRequest:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    #: The first 4 MiB.
    body: bytes
    body_bytes: int


@dataclass(slots=True)
class PoolAnswer:
    """What a pool answers: pieces, each written by itself, `pause_s` apart."""

    pieces: tuple[bytes, ...] = (b"{}",)
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_s: float = 0.0
    #: Before its headers.
    delay_s: float = 0.0
    #: It closes the connection behind its pieces, without an end.
    breaks_off: bool = False


@dataclass(slots=True)
class RecordingPool:
    """One running pool; a test sets `answer` (or `answer_by`) and reads `requests`."""

    name: str
    #: HOST:PORT.
    address: str = ""
    answer: PoolAnswer = field(default_factory=PoolAnswer)
    #: Its answer to each request; None: it is `answer`, whatever was asked.
    answer_by: Callable[[PoolRequest], PoolAnswer] | None = None
    requests: list[PoolRequest] = field(default_factory=list)
    #: What it answers to health checks, which are no requests; None: it hangs, to them and to requests.
    health: int | None = 200
    #: `host` of the last health check.
    health_host: str = ""
    #: It reads each request and then closes the connection without a word.
    dies: bool = False

    def reset(self) -> None:
        """Forget requests, answer as at the start."""
        self.requests.clear()
        self.answer = PoolAnswer()
        self.answer_by = None
        self.health = 200
        self.dies = False

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Remember the request, then answer."""
        if request.path == HEALTH_PATH:
            return await self._check(request)
        received = await _received(request)
        self.requests.append(received)
        answer = self.answer if self.answer_by is None else self.answer_by(received)
        if self.dies and request.transport is not None:
            request.transport.abort()
        if self.health is None:
            await asyncio.sleep(HANGS_S)
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await _echo(request)
        headers = {"content-type": answer.content_type, **answer.headers}
        await asyncio.sleep(answer.delay_s)
        response = web.StreamResponse(status=answer.status, headers=headers)
        if len(answer.pieces) == 1 and not answer.breaks_off:
            response.content_length = len(answer.pieces[0])
        await response.prepare(request)
        for piece in answer.pieces:
            await response.write(piece)
            await asyncio.sleep(answer.pause_s)
        if answer.breaks_off and request.transport is not None:
            request.transport.abort()
        return response

    async def _check(self, request: web.BaseRequest) -> web.StreamResponse:
        self.health_host = request.headers.get("host", "")
        if self.health is None:
            await asyncio.sleep(HANGS_S)
        return web.Response(status=self.health or HTTPStatus.SERVICE_UNAVAILABLE)


async def _echo(request: web.BaseRequest) -> web.StreamResponse:
    """A WebSocket that says everything again."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


@asynccontextmanager
async def running_pool(
    name: str, *, port: int = 0, tls: SSLContext | None = None
) -> AsyncIterator[RecordingPool]:
    """A pool on the loopback interface, inside the block; port 0 is a free one."""
    pool = RecordingPool(name)
    # As vLLM does, it takes more and longer headers than Envoy lets through.
    server = web.Server(pool.serve, access_log=None, max_headers=512, max_field_size=_FIELD_BYTES)
    runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        host, port = runner.addresses[0][:2]
        pool.address = f"{host}:{port}"
        yield pool
    finally:
        await runner.cleanup()


async def _received(request: web.BaseRequest) -> PoolRequest:
    kept, size = bytearray(), 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        kept += chunk[: max(0, _KEPT_BYTES - len(kept))]
    headers = {name.lower(): value for name, value in request.headers.items()}
    return PoolRequest(request.method, request.path_qs, headers, bytes(kept), size)
