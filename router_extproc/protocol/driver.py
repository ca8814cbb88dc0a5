"""The port that decides about an exchange, and the one step from Envoy's message to our reply.

A driver sees events and returns replies. `exchange.py` keeps the order of the protocol; the loop and the I/O
are in `server/servicer.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from router_extproc.protocol.events import (
    AnswerChunk,
    AnswerStarted,
    BodyReceived,
    BodyTooLarge,
    Event,
    RequestEnded,
    RequestStarted,
)
from router_extproc.protocol.exchange import Exchange, Outgoing
from router_extproc.protocol.messages import (
    BodyReply,
    HeadersReply,
    ImmediateResponse,
    Message,
    MoreTime,
    ResponseBody,
)
from router_extproc.protocol.modes import Direction, Role


@dataclass(frozen=True, slots=True)
class DeferredReply:
    """A reply that is not the last word."""

    #: Said at once: more time is wanted, or the reply itself.
    now: MoreTime | BodyReply
    #: Awaited while Envoy keeps the stream open, and cancelled when it does not. Brings the reply, or None
    #: when all is said.
    then: Callable[[], Awaitable[BodyReply | ImmediateResponse | None]]


@dataclass(frozen=True, slots=True)
class Step:
    """What to write now, and what to await for more."""

    outgoing: Outgoing
    rest: Callable[[], Awaitable[Outgoing | None]]


class ExchangeDriver(Protocol):
    """Decides about one exchange; one per stream, its calls never overlap."""

    async def on_request_headers(self, event: RequestStarted) -> HeadersReply | ImmediateResponse:
        """The reply to the headers. `event.too_large`: reject, or let pass without the body."""
        ...

    async def on_request_body(
        self, event: BodyReceived | BodyTooLarge
    ) -> BodyReply | ImmediateResponse | DeferredReply:
        """The reply to the whole body; to BodyTooLarge it must be an immediate response."""
        ...

    def on_answer_headers(self, event: AnswerStarted) -> HeadersReply | ImmediateResponse:
        """The reply to the answer's headers; not sent when the role is OBSERVE."""
        ...

    def on_answer_chunk(self, event: AnswerChunk) -> bytes | None:
        """See some bytes of the answer pass by; those that are returned take their place.

        None leaves them. Other bytes only where the reply to the headers said that the body changes.
        """
        ...

    def on_closed(self, *, clean: bool) -> None:
        """The stream is over; called exactly once. Not clean: it broke off before the exchange's end."""
        ...


class DriverFactory(Protocol):
    """Makes a driver for each stream."""

    def __call__(self, role: Role) -> ExchangeDriver:
        """A driver for a new stream of this role."""
        ...


async def step(exchange: Exchange, driver: ExchangeDriver, message: Message) -> Outgoing | Step | None:
    """Take one message; returns the reply to write, None when nobody waits for one.

    Raises:
        RemoteProtocolError: the message may not come here.
        LocalProtocolError: the driver's reply may not go here.
    """
    event = exchange.receive(message)
    if exchange.role is Role.OBSERVE:
        _observe(driver, event)
        return None
    match event:
        case AnswerChunk():
            return _pass_chunk(exchange, driver.on_answer_chunk(event), message)
        case AnswerStarted():
            return exchange.send(driver.on_answer_headers(event), Direction.RESPONSE)
        case RequestStarted():
            return _begin_request(exchange, await driver.on_request_headers(event))
        case RequestEnded():
            return exchange.go_on(Direction.REQUEST)
        case body:
            reply = await driver.on_request_body(body)
            return _begin(exchange, reply) if isinstance(reply, DeferredReply) else exchange.send(reply)


def _pass_chunk(exchange: Exchange, changed: bytes | None, message: Message) -> Outgoing:
    """Trailers end an answer, too, and have no bytes to change."""
    if changed is None or not isinstance(message, ResponseBody):
        return exchange.go_on(Direction.RESPONSE)
    return exchange.send(BodyReply(body=changed), Direction.RESPONSE)


def _begin_request(exchange: Exchange, reply: HeadersReply | ImmediateResponse) -> Outgoing | Step:
    outgoing = exchange.send(reply)
    if isinstance(reply, ImmediateResponse) or not reply.body_time_s:
        return outgoing
    asked = exchange.ask_ahead(MoreTime(reply.body_time_s))

    async def rest() -> Outgoing:
        return asked

    return Step(outgoing, rest)


def _begin(exchange: Exchange, reply: DeferredReply) -> Step:
    async def rest() -> Outgoing | None:
        last = await reply.then()
        return None if last is None else exchange.send(last)

    return Step(exchange.send(reply.now), rest)


def _observe(driver: ExchangeDriver, event: Event) -> None:
    """Only the answer is observed, whatever else the filter sends."""
    match event:
        case AnswerChunk():
            driver.on_answer_chunk(event)
        case AnswerStarted():
            driver.on_answer_headers(event)
        case _:
            return
