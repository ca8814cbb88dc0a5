"""A driver that notes what it is told and replies what a test gave it."""

from __future__ import annotations

from dataclasses import dataclass, field

from router_extproc.protocol.driver import DeferredReply
from router_extproc.protocol.events import (
    AnswerChunk,
    AnswerStarted,
    BodyReceived,
    BodyTooLarge,
    Event,
    RequestStarted,
)
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse
from router_extproc.protocol.modes import BodyMode, HeaderMode, ProcessingMode, Role

#: Asks for the body, and leaves the answer to the stream that a profile sends it on.
ASK_BODY = HeadersReply(
    mode_override=ProcessingMode(
        request_body=BodyMode.BUFFERED,
        response_headers=HeaderMode.SEND,
        response_body=BodyMode.STREAMED,
        response_trailers=HeaderMode.SEND,
    )
)


@dataclass(slots=True)
class RecordingDriver:
    """Fits protocol.driver.ExchangeDriver."""

    to_headers: HeadersReply | ImmediateResponse = ASK_BODY
    to_body: BodyReply | ImmediateResponse | DeferredReply = field(default_factory=BodyReply)
    to_answer: HeadersReply | ImmediateResponse = field(default_factory=HeadersReply)
    to_chunk: bytes | None = None
    #: Raised instead of any reply.
    error: Exception | None = None
    events: list[Event] = field(default_factory=list)
    #: How the stream ended, in the order of streams.
    closed: list[bool] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)

    def __call__(self, role: Role) -> RecordingDriver:
        """Fits DriverFactory: every stream has this driver."""
        self.roles.append(role)
        return self

    async def on_request_headers(self, event: RequestStarted) -> HeadersReply | ImmediateResponse:
        """See ExchangeDriver."""
        self._note(event)
        return self.to_headers

    async def on_request_body(
        self, event: BodyReceived | BodyTooLarge
    ) -> BodyReply | ImmediateResponse | DeferredReply:
        """See ExchangeDriver."""
        self._note(event)
        return self.to_body

    def on_answer_headers(self, event: AnswerStarted) -> HeadersReply | ImmediateResponse:
        """See ExchangeDriver."""
        self._note(event)
        return self.to_answer

    def on_answer_chunk(self, event: AnswerChunk) -> bytes | None:
        """See ExchangeDriver."""
        self._note(event)
        return self.to_chunk

    def on_closed(self, *, clean: bool) -> None:
        """See ExchangeDriver."""
        self.closed.append(clean)

    def _note(self, event: Event) -> None:
        if self.error is not None:
            raise self.error
        self.events.append(event)
