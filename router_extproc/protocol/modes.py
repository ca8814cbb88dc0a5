"""Roles of a stream, and which parts of an exchange Envoy sends on it.

It is not Envoy's configuration (`envoy_config/` renders that). The rule it keeps: a
request body mode in which Envoy ignores our header mutations cannot be configured.
Source: processing_mode.proto.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from router_extproc.errors import ConfigError


class Role(Enum):
    """What a stream is for; the value is the stream's initial metadata `x-router-role`."""

    #: The first filter: reads the request, answers it or routes it.
    DECIDE = "decide"
    #: The second filter: sees the answer pass by; Envoy waits for no reply.
    OBSERVE = "observe"
    #: Both on one stream.
    INLINE = "inline"


class Direction(Enum):
    """Which half of the HTTP exchange."""

    REQUEST = "request"
    RESPONSE = "response"


class HeaderMode(IntEnum):
    """Whether headers or trailers are sent; Envoy's numbers."""

    DEFAULT = 0
    SEND = 1
    SKIP = 2


class BodyMode(IntEnum):
    """How a body is sent; Envoy's numbers."""

    NONE = 0
    STREAMED = 1
    BUFFERED = 2
    BUFFERED_PARTIAL = 3
    FULL_DUPLEX_STREAMED = 4
    GRPC = 5


#: In these Envoy drops the header mutation of a body reply once the headers have left, which depends
#: on how late the body comes: a request is then routed wrongly, or not at all.
LATE_HEADER_MODES: Final = frozenset({BodyMode.STREAMED, BodyMode.BUFFERED_PARTIAL})


@dataclass(frozen=True, slots=True)
class BodyModes:
    """How the filter says that it sends bodies (ProtocolConfiguration)."""

    request: BodyMode
    response: BodyMode


@dataclass(frozen=True, slots=True)
class ProcessingMode:
    """What Envoy sends on a stream; as a mode override it replaces every field but request_headers.

    Raises:
        ConfigError: the request body mode loses header mutations.
    """

    request_headers: HeaderMode = HeaderMode.SEND
    response_headers: HeaderMode = HeaderMode.SKIP
    request_body: BodyMode = BodyMode.NONE
    response_body: BodyMode = BodyMode.NONE
    request_trailers: HeaderMode = HeaderMode.SKIP
    response_trailers: HeaderMode = HeaderMode.SKIP

    def __post_init__(self) -> None:
        if self.request_body in LATE_HEADER_MODES:
            raise ConfigError(
                "request_body_mode",
                f"{self.request_body.name} loses the routing header when the body comes late; use BUFFERED",
            )


#: Mode override for a request that is none of our business: send nothing more.
LET_PASS: Final = ProcessingMode()
