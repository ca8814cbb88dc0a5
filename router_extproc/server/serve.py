"""One worker's gRPC server: built, started, drained.

While it drains, its health is NOT_SERVING before the first stream is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from router_extproc.address import TcpAddress, is_unix, read_tcp, worker_address
from router_extproc.errors import ConfigError
from router_extproc.protocol.driver import DriverFactory
from router_extproc.server.base import ConfigSeen, StreamCounter, ignore_config
from router_extproc.server.credentials import ServerTls, credentials_of
from router_extproc.server.listen import OWNER_ONLY, SocketModes, claim, open_to
from router_extproc.server.servicer import SERVICE, Servicer, StreamLimits

#: What one message holds besides a body: headers (Envoy: 60 KiB), metadata with the write token, and
#: what a buffer of Envoy's may overshoot its limit by.
MESSAGE_SLACK_BYTES: Final = 1024 * 1024
#: Chunks of an answer are cut by Envoy's connection buffer (1 MiB), whatever our body limit is.
_MIN_CHUNK_BYTES: Final = 1024 * 1024

_log = structlog.get_logger(__name__)

_SERVING: Final = health_pb2.HealthCheckResponse.SERVING


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What one worker's server needs to know."""

    #: unix:PATH (with {worker}) or HOST:PORT (each worker counts up).
    listen: str
    limits: StreamLimits
    #: How long streams may take to finish once the stop was asked for.
    drain_s: float
    worker: int = 0
    #: Of a socket.
    modes: SocketModes = OWNER_ONLY
    #: None: plain, for a socket or the loopback interface.
    tls: ServerTls | None = None


@asynccontextmanager
async def running(
    settings: ServerSettings,
    drivers: DriverFactory,
    counter: StreamCounter,
    on_config: ConfigSeen = ignore_config,
    at_once: asyncio.Event | None = None,
) -> AsyncIterator[str]:
    """Serve inside the block; its value is the address; leaving it drains, until `at_once` is set.

    Raises:
        ConfigError: the address cannot be had.
    """
    address = worker_address(settings.listen, settings.worker)
    claim(address, settings.modes)
    server = grpc.aio.server(options=options_of(settings.limits.max_body_bytes))
    Servicer(drivers, counter, settings.limits, on_config).add_to(server)
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    bound = bind(server, address, None if settings.tls is None else credentials_of(settings.tls))
    open_to(bound, settings.modes)
    await server.start()
    for service in ("", SERVICE):
        await checks.set(service, _SERVING)
    try:
        yield bound
    finally:
        await checks.enter_graceful_shutdown()
        await _drain(server, settings.drain_s, at_once or asyncio.Event())


async def _drain(server: grpc.aio.Server, seconds: float, at_once: asyncio.Event) -> None:
    """Let streams finish for so long, or until `at_once` is set; then cut them."""
    async with asyncio.TaskGroup() as tasks:
        cutting = tasks.create_task(_cut(server, at_once))
        await server.stop(seconds)
        cutting.cancel()


async def _cut(server: grpc.aio.Server, at_once: asyncio.Event) -> None:
    await at_once.wait()
    await server.stop(None)


def options_of(max_body_bytes: int) -> list[tuple[str, int]]:
    """Settings of gRPC; every size follows from the one limit of bodies.

    Replies have no bound here: bodies and stored answers, all that they hold, have theirs.
    """
    return [
        ("grpc.max_receive_message_length", max(max_body_bytes, _MIN_CHUNK_BYTES) + MESSAGE_SLACK_BYTES),
        ("grpc.max_send_message_length", -1),
        # A whole body at once: with gRPC's own window, 16 MiB take three times as long on their way here.
        ("grpc.http2.lookahead_bytes", max(max_body_bytes, _MIN_CHUNK_BYTES)),
        ("grpc.http2.max_frame_size", _MIN_CHUNK_BYTES),
        # Two servers on one port would share its streams by chance; let the second one fail.
        ("grpc.so_reuseport", 0),
        # An Envoy that vanished without a word is noticed within a minute.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # Envoy may ping as often as it likes, idle or not.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
        ("grpc.http2.max_ping_strikes", 0),
    ]


def bind(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials | None = None) -> str:
    """Bind the address; returns it, with the port that was given for port 0.

    Raises:
        ConfigError: somebody took it since it was probed, or the certificate does not fit its key.
    """
    try:
        if credentials is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise ConfigError("listen", f"cannot listen on {address}") from error
    return address if is_unix(address) else str(TcpAddress(read_tcp(address).host, port))
