"""The gRPC method `Process`: one loop around the protocol core for each stream.

Events go to the driver, its replies back through `Exchange.send`. An error ends its own stream only, with a
status that says whether Envoy or we are at fault; nothing that a client wrote reaches the log.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import grpc
import structlog

from router_extproc.errors import ProtocolError, RemoteProtocolError
from router_extproc.protocol.driver import DriverFactory, ExchangeDriver, Step, step
from router_extproc.protocol.events import RequestStarted
from router_extproc.protocol.exchange import Exchange
from router_extproc.protocol.messages import HeadersReply
from router_extproc.protocol.modes import LET_PASS, Direction, Role
from router_extproc.protocol.names import CONFIG_HEADER, ROLE_HEADER
from router_extproc.server.base import ConfigSeen, Outcome, StreamCounter, ignore_config
from router_extproc.server.codec import decode, encode
from router_extproc.server.inbox import Inbox

#: On the wire; the generated package has a private name.
SERVICE: Final = "envoy.service.ext_proc.v3.ExternalProcessor"

_Context: TypeAlias = grpc.aio.ServicerContext[bytes, bytes]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Bounds of the streams."""

    #: Of one request's body.
    max_body_bytes: int
    #: Streams in flight that decide, and as many that observe; requests of further ones are let
    #: through unread.
    max_exchanges: int


class Servicer:
    """Serves `Process`, a driver for each stream."""

    def __init__(
        self,
        drivers: DriverFactory,
        counter: StreamCounter,
        limits: StreamLimits,
        on_config: ConfigSeen = ignore_config,
    ) -> None:
        self._on_config = on_config
        self._drivers = drivers
        self._counter = counter
        self._limits = limits
        self._in_flight = dict.fromkeys(Role, 0)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register the method under Envoy's name; bytes in, bytes out."""
        method: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self.process)
        handlers = grpc.method_handlers_generic_handler(SERVICE, {"Process": method})
        server.add_generic_rpc_handlers((handlers,))

    async def process(self, messages: AsyncIterator[bytes], context: _Context) -> None:
        """Serve one stream until Envoy or an immediate response ends it."""
        try:
            role = _role_of(context)
        except RemoteProtocolError as error:
            _log.warning("stream refused", reason=str(error))
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        self._on_config(_told(context, CONFIG_HEADER))
        self._counter.opened(role)
        self._in_flight[role] += 1
        outcome: Outcome = "cancelled"
        try:
            outcome = await self._serve(role, messages, context)
        except RemoteProtocolError as error:
            outcome = "remote_error"
            _log.warning("Envoy broke the contract", role=role.value, reason=str(error))
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except Exception as error:  # noqa: BLE001 - the stream ends here, whatever broke; Envoy fails open
            outcome = "local_error"
            _log.error("stream failed", role=role.value, **_facts(error))
            await context.abort(grpc.StatusCode.INTERNAL, "internal error")
        finally:
            self._in_flight[role] -= 1
            self._counter.closed(role, outcome)

    async def _serve(self, role: Role, messages: AsyncIterator[bytes], context: _Context) -> Outcome:
        exchange = Exchange(role, max_body_bytes=self._limits.max_body_bytes)
        # A retry is of a request that was let in, and without us another pool would get what is not for it.
        if self._in_flight[role] > self._limits.max_exchanges and role is not Role.RETRY:
            await _let_through(exchange, messages, context)
            return "let_through"
        driver = self._drivers(role)
        try:
            await _converse(exchange, driver, messages, context)
        except asyncio.CancelledError:
            # Envoy resets a stream as soon as it has what it wants: that is no failure.
            if not exchange.ended:
                raise
        finally:
            driver.on_closed(clean=exchange.ended)
        return "done" if exchange.ended else "cancelled"


async def _converse(
    exchange: Exchange, driver: ExchangeDriver, messages: AsyncIterator[bytes], context: _Context
) -> None:
    """Each message to the driver, each reply to Envoy."""
    inbox = Inbox(messages)
    try:
        while (received := await inbox.next()) is not None:
            outgoing = await step(exchange, driver, decode(received))
            if isinstance(outgoing, Step):
                await context.write(encode(outgoing.outgoing))
                outgoing = await inbox.while_open(outgoing.rest())
            if outgoing is not None:
                await context.write(encode(outgoing))
            if exchange.ended:
                return
    finally:
        inbox.close()


async def _let_through(exchange: Exchange, messages: AsyncIterator[bytes], context: _Context) -> None:
    """Answer the first message with "go on" and leave; Envoy does the rest without us."""
    received = await anext(aiter(messages), None)
    if received is None or exchange.role is Role.OBSERVE:
        return
    match exchange.receive(decode(received)):
        case RequestStarted():
            reply = exchange.send(HeadersReply(mode_override=LET_PASS))
        case _:
            reply = exchange.go_on(Direction.RESPONSE)
    await context.write(encode(reply))


def _role_of(context: _Context) -> Role:
    value = _told(context, ROLE_HEADER)
    if value is None:
        raise RemoteProtocolError(f"the filter's initial_metadata has no {ROLE_HEADER}")
    try:
        return Role(value)
    except ValueError as error:
        raise RemoteProtocolError(f"{ROLE_HEADER} must be one of {[role.value for role in Role]}") from error


def _told(context: _Context, wanted: str) -> str | None:
    """A value of the stream's initial metadata."""
    for key, value in context.invocation_metadata() or ():
        if key == wanted:
            return value if isinstance(value, str) else value.decode("ascii", "replace")
    return None


def _facts(error: Exception) -> dict[str, str]:
    """What may be logged: the type and the place. The text may hold what a client wrote."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    facts = {"error": type(error).__name__, "place": f"{last.filename}:{last.lineno}"}
    return {**facts, "reason": str(error)} if isinstance(error, ProtocolError) else facts
