"""A server over a real socket, and a client that speaks with envoy-data-plane's types."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from envoy_data_plane.envoy.service.ext_proc.v3 import ProcessingRequest, ProcessingResponse

from router_extproc.protocol.driver import DriverFactory
from router_extproc.protocol.modes import Role
from router_extproc.protocol.names import ROLE_HEADER
from router_extproc.server.base import Outcome
from router_extproc.server.serve import ServerSettings, running
from router_extproc.server.servicer import StreamLimits

#: No wait in these tests is longer, whatever the machine does beside them.
PATIENCE_S = 20.0
#: Envoy has no limit of its own for what it receives.
UNBOUNDED = (("grpc.max_receive_message_length", -1),)
METHOD = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"


@dataclass
class Counts:
    """Fits StreamCounter."""

    opened_roles: list[Role] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    #: Set whenever a stream has ended.
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def opened(self, role: Role) -> None:
        self.opened_roles.append(role)

    def closed(self, role: Role, outcome: Outcome) -> None:
        del role
        self.outcomes.append(outcome)
        self.ended.set()


class EnvoyStream:
    """Envoy's end of one stream."""

    def __init__(self, call: grpc.aio.StreamStreamCall[bytes, bytes]) -> None:
        self._call = call

    async def send(self, message: ProcessingRequest | bytes) -> None:
        await self._call.write(bytes(message))

    async def receive(self) -> ProcessingResponse | None:
        """The next reply; None when the server has closed the stream."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                received = await self._call.read()
        except grpc.aio.AioRpcError:
            return None
        return None if received is grpc.aio.EOF else ProcessingResponse.parse(received)

    async def ask(self, message: ProcessingRequest | bytes) -> ProcessingResponse | None:
        await self.send(message)
        return await self.receive()

    async def done_writing(self) -> None:
        await self._call.done_writing()

    def cancel(self) -> None:
        self._call.cancel()

    async def status(self) -> tuple[grpc.StatusCode, str]:
        async with asyncio.timeout(PATIENCE_S):
            return await self._call.code(), await self._call.details()


@dataclass
class Wire:
    """A running server and the way to it."""

    channel: grpc.aio.Channel
    counts: Counts
    _stop: Callable[[], Awaitable[None]]

    def stream(self, role: str | None = "decide") -> EnvoyStream:
        method = self.channel.stream_stream(METHOD)
        return EnvoyStream(method(metadata=None if role is None else ((ROLE_HEADER, role),)))

    async def drain(self) -> None:
        """Stop the server; returns when every stream has ended."""
        await self._stop()


OpenWire = Callable[..., AbstractAsyncContextManager[Wire]]


@pytest.fixture
def open_wire(tmp_path: Path) -> OpenWire:
    @asynccontextmanager
    async def open_with(
        drivers: DriverFactory,
        *,
        max_body_bytes: int = 1000,
        max_exchanges: int = 10,
        drain_s: float = 0,
        at_once: asyncio.Event | None = None,
    ) -> AsyncIterator[Wire]:
        limits = StreamLimits(max_body_bytes=max_body_bytes, max_exchanges=max_exchanges)
        settings = ServerSettings(f"unix:{tmp_path}/{{worker}}.sock", limits, drain_s)
        counts = Counts()
        async with AsyncExitStack() as server:
            address = await server.enter_async_context(running(settings, drivers, counts, at_once=at_once))
            async with grpc.aio.insecure_channel(address, options=UNBOUNDED) as channel:
                yield Wire(channel, counts, server.aclose)

    return open_with
