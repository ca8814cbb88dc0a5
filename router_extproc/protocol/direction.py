"""One direction of an exchange: what may follow what, and which replies are still pending.

A phase changes by `TRANSITIONS` and by nothing else.
Source: external_processor.proto, service ExternalProcessor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from router_extproc.errors import LocalProtocolError, RemoteProtocolError
from router_extproc.protocol.messages import Message, Part
from router_extproc.protocol.modes import BodyMode


class Phase(Enum):
    """How far one direction has come."""

    START = "start"
    HEADERS = "headers seen"
    BODY = "body under way"
    WHOLE_BODY = "whole body seen"
    DONE = "done"


MORE: Final = False
END: Final = True

#: (phase, part, end of stream) → next phase, in each direction; what is missing is a protocol error.
#: In full duplex our replies run through the same table.
TRANSITIONS: Final[Mapping[tuple[Phase, Part, bool], Phase]] = MappingProxyType(
    {
        (Phase.START, Part.HEADERS, MORE): Phase.HEADERS,
        (Phase.START, Part.HEADERS, END): Phase.DONE,
        (Phase.HEADERS, Part.BODY, MORE): Phase.BODY,
        (Phase.HEADERS, Part.BODY, END): Phase.DONE,
        (Phase.HEADERS, Part.WHOLE_BODY, MORE): Phase.WHOLE_BODY,
        (Phase.HEADERS, Part.WHOLE_BODY, END): Phase.DONE,
        (Phase.HEADERS, Part.TRAILERS, END): Phase.DONE,
        (Phase.BODY, Part.BODY, MORE): Phase.BODY,
        (Phase.BODY, Part.BODY, END): Phase.DONE,
        (Phase.BODY, Part.TRAILERS, END): Phase.DONE,
        (Phase.WHOLE_BODY, Part.TRAILERS, END): Phase.DONE,
    }
)


class DirectionState:
    """One direction of the exchange: the phase of each side, and the replies that Envoy waits for."""

    __slots__ = ("_headers_only", "body_mode", "pending", "received", "sent", "time_asked")

    def __init__(self, body_mode: BodyMode) -> None:
        self.body_mode = body_mode
        self.received = Phase.START
        self.sent = Phase.START
        self.pending: deque[Part] = deque()
        #: Envoy was asked for more time for the oldest reply that is owed.
        self.time_asked = False
        self._headers_only = False

    @property
    def full_duplex(self) -> bool:
        """True when replies do not answer messages, but are the body themselves."""
        return self.body_mode is BodyMode.FULL_DUPLEX_STREAMED

    @property
    def settled(self) -> bool:
        """True when Envoy waits for nothing of ours."""
        return self.sent is Phase.DONE if self.full_duplex else not self.pending

    def receive(self, message: Message) -> None:
        """Move on by a message; a buffered body comes once."""
        part = message.part
        if part is Part.BODY and self.body_mode is BodyMode.BUFFERED:
            part = Part.WHOLE_BODY
        key = (self.received, part, message.end_of_stream)
        if key not in TRANSITIONS:
            raise RemoteProtocolError(f"{message.direction.value} {part.value} after {self.received.value}")
        self._headers_only = part is Part.HEADERS and message.end_of_stream
        self.received = TRANSITIONS[key]

    def send(self, part: Part, *, end: bool) -> None:
        """Move our side on, in full duplex; headers end it if Envoy's did, trailers always."""
        end = end or part is Part.TRAILERS or (part is Part.HEADERS and self._headers_only)
        key = (self.sent, part, end)
        if self.received is Phase.START or key not in TRANSITIONS:
            raise LocalProtocolError(f"reply to {part.value} after {self.sent.value}")
        self.sent = TRANSITIONS[key]
