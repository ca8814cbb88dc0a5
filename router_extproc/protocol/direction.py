"""One direction of an exchange: which message may follow which, and which replies are still pending.

Only `TRANSITIONS` changes a phase.
Source: external_processor.proto, service ExternalProcessor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from router_extproc.errors import RemoteProtocolError
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
    """One direction of the exchange: how far Envoy has come, and the replies that it waits for."""

    __slots__ = ("body_mode", "pending", "received", "time_asked")

    def __init__(self, body_mode: BodyMode) -> None:
        self.body_mode = body_mode
        self.received = Phase.START
        self.pending: deque[Part] = deque()
        #: Envoy was asked for more time for the oldest pending reply.
        self.time_asked = False

    def receive(self, message: Message) -> None:
        """Move on by a message; a buffered body comes once."""
        part = message.part
        if part is Part.BODY and self.body_mode is BodyMode.BUFFERED:
            part = Part.WHOLE_BODY
        key = (self.received, part, message.end_of_stream)
        if key not in TRANSITIONS:
            raise RemoteProtocolError(f"{message.direction.value} {part.value} after {self.received.value}")
        self.received = TRANSITIONS[key]
