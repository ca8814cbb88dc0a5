"""Roles of a stream, and which parts of an exchange Envoy sends on it.

A request body mode in which a request could be routed wrongly, or fail with the sidecar, is refused.
Source: processing_mode.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from types import MappingProxyType
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
    #: The filter towards the pools: writes the request anew for another pool than the one that was chosen.
    RETRY = "retry"


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


_LATE: Final = "loses the routing header when the body comes late; use BUFFERED"

#: Why a body mode is refused for requests. In STREAMED and BUFFERED_PARTIAL Envoy drops the header mutation
#: of a body reply once it has sent the headers on; in full duplex a dead sidecar is a 500 and a stalled
#: one hangs the client, whatever `failure_mode_allow` says.
REFUSED_REQUEST_BODY_MODES: Final[Mapping[BodyMode, str]] = MappingProxyType(
    {
        BodyMode.STREAMED: _LATE,
        BodyMode.BUFFERED_PARTIAL: _LATE,
        BodyMode.FULL_DUPLEX_STREAMED: "cannot fail open; use BUFFERED",
        BodyMode.GRPC: "is for gRPC messages; use BUFFERED",
    }
)


@dataclass(frozen=True, slots=True)
class BodyModes:
    """How the filter says that it sends bodies (ProtocolConfiguration)."""

    request: BodyMode
    response: BodyMode


@dataclass(frozen=True, slots=True)
class ProcessingMode:
    """What Envoy sends on a stream; as a mode override it replaces every field but request_headers.

    Raises:
        ConfigError: the request body mode is one of REFUSED_REQUEST_BODY_MODES.
    """

    request_headers: HeaderMode = HeaderMode.SEND
    response_headers: HeaderMode = HeaderMode.SKIP
    request_body: BodyMode = BodyMode.NONE
    response_body: BodyMode = BodyMode.NONE
    request_trailers: HeaderMode = HeaderMode.SKIP
    response_trailers: HeaderMode = HeaderMode.SKIP

    def __post_init__(self) -> None:
        refused = REFUSED_REQUEST_BODY_MODES.get(self.request_body)
        if refused is not None:
            raise ConfigError("request_body_mode", f"{self.request_body.name} {refused}")


#: Mode override for a request that is not ours to route: send nothing more.
LET_PASS: Final = ProcessingMode()
