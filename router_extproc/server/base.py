"""What the server needs from the rest: who decides about an exchange, and who counts.

It is not an implementation of either. The rule: the server knows these ports only, so pipeline and
telemetry can be built, and tested, without gRPC.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from router_extproc.protocol.events import (
    AnswerChunk,
    AnswerStarted,
    BodyReceived,
    BodyTooLarge,
    RequestStarted,
)
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse
from router_extproc.protocol.modes import Role

#: How a stream ended: by plan, by Envoy going away, by a broken contract (theirs, ours), or let
#: through because too many were in flight.
Outcome: TypeAlias = Literal["done", "cancelled", "remote_error", "local_error", "let_through"]


class ExchangeDriver(Protocol):
    """Decides about one exchange; one per stream, its calls never overlap."""

    async def on_request_headers(self, event: RequestStarted) -> HeadersReply | ImmediateResponse:
        """The reply to the headers. `event.too_large`: reject, or let pass without the body."""
        ...

    async def on_request_body(self, event: BodyReceived | BodyTooLarge) -> BodyReply | ImmediateResponse:
        """The reply to the whole body; to BodyTooLarge it must be an immediate response."""
        ...

    def on_answer_headers(self, event: AnswerStarted) -> HeadersReply:
        """The reply to the answer's headers; not sent when the role is OBSERVE."""
        ...

    def on_answer_chunk(self, event: AnswerChunk) -> None:
        """See some bytes of the answer pass by."""
        ...

    def on_closed(self, *, clean: bool) -> None:
        """The stream is over; called exactly once. Not clean: Envoy went away or something broke."""
        ...


class DriverFactory(Protocol):
    """Makes a driver for each stream."""

    def __call__(self, role: Role) -> ExchangeDriver:
        """A driver for a new stream of this role."""
        ...


class StreamCounter(Protocol):
    """Counts streams."""

    def opened(self, role: Role) -> None:
        """A stream began."""
        ...

    def closed(self, role: Role, outcome: Outcome) -> None:
        """A stream ended."""
        ...
