"""Messages of one ext_proc stream: what Envoy sends, and what we may reply.

Immutable values. `server/codec.py` knows their wire form, `exchange.py` their order.
Source: external_processor.proto, ProcessingRequest and ProcessingResponse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import ClassVar, Final, TypeAlias

from router_extproc.errors import LocalProtocolError
from router_extproc.protocol.headers import NO_MUTATION, HeaderMutation, Headers, Pair
from router_extproc.protocol.modes import BodyModes, Direction, ProcessingMode

#: Dynamic metadata: namespace to its keys. Values that are no strings are left out on the way in.
Metadata: TypeAlias = Mapping[str, Mapping[str, str]]
NO_METADATA: Final[Metadata] = MappingProxyType({})


def no_metadata() -> Metadata:
    """The default of every metadata field: one empty map for all."""
    return NO_METADATA


#: What Envoy says of an exchange beside its headers: attribute to value, strings only.
NO_ATTRIBUTES: Final[Mapping[str, str]] = MappingProxyType({})


def no_attributes() -> Mapping[str, str]:
    """The default of messages without attributes: one empty map for all."""
    return NO_ATTRIBUTES


class Part(Enum):
    """Which part of one direction a message or a reply is about."""

    HEADERS = "headers"
    BODY = "body"
    #: A body that is sent in one piece (BUFFERED).
    WHOLE_BODY = "whole body"
    TRAILERS = "trailers"


# ── from Envoy ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class HeadersMessage:
    """The headers of one direction."""

    direction: ClassVar[Direction]
    part: ClassVar[Part] = Part.HEADERS

    headers: Headers
    #: Neither body nor trailers follow.
    end_of_stream: bool = False
    metadata: Metadata = field(default_factory=no_metadata)
    #: Nobody waits for a reply.
    observability: bool = False
    #: In the first message of a stream, from an Envoy that tells.
    modes: BodyModes | None = None
    attributes: Mapping[str, str] = field(default_factory=no_attributes)


@dataclass(frozen=True, slots=True)
class BodyMessage:
    """A body, or a chunk of one."""

    direction: ClassVar[Direction]
    part: ClassVar[Part] = Part.BODY

    body: bytes = field(repr=False)
    end_of_stream: bool = False
    observability: bool = False
    modes: BodyModes | None = None


@dataclass(frozen=True, slots=True)
class TrailersMessage:
    """The trailers of one direction; they end it."""

    direction: ClassVar[Direction]
    part: ClassVar[Part] = Part.TRAILERS
    end_of_stream: ClassVar[bool] = True

    headers: Headers
    observability: bool = False
    modes: BodyModes | None = None


class RequestHeaders(HeadersMessage):
    """The request's headers."""

    __slots__ = ()
    direction = Direction.REQUEST


class RequestBody(BodyMessage):
    """The request's body."""

    __slots__ = ()
    direction = Direction.REQUEST


class RequestTrailers(TrailersMessage):
    """The request's trailers."""

    __slots__ = ()
    direction = Direction.REQUEST


class ResponseHeaders(HeadersMessage):
    """The response's headers."""

    __slots__ = ()
    direction = Direction.RESPONSE


class ResponseBody(BodyMessage):
    """A chunk of the response's body."""

    __slots__ = ()
    direction = Direction.RESPONSE


class ResponseTrailers(TrailersMessage):
    """The response's trailers."""

    __slots__ = ()
    direction = Direction.RESPONSE


Message: TypeAlias = (
    RequestHeaders | RequestBody | RequestTrailers | ResponseHeaders | ResponseBody | ResponseTrailers
)


# ── to Envoy ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class HeadersReply:
    """Goes on with the headers."""

    mutation: HeaderMutation = NO_MUTATION
    #: Makes Envoy pick the route again; the core sets it with the routing header.
    clear_route_cache: bool = False
    #: What Envoy sends from here on.
    mode_override: ProcessingMode | None = None
    #: Of an answer: replies to its chunks may change them, so the core removes its content-length.
    body_changes: bool = False
    dynamic_metadata: Metadata = field(default_factory=no_metadata)
    #: Asked for right behind this reply, for the reply to the body, which is on its way by then. 0: nothing.
    body_time_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BodyReply:
    """Goes on with the body as it is, or with another one."""

    #: Of the headers, which Envoy holds back while it buffers the request's body; none for a chunk.
    mutation: HeaderMutation = NO_MUTATION
    #: None: unchanged.
    body: bytes | None = field(default=None, repr=False)
    clear_route_cache: bool = False
    dynamic_metadata: Metadata = field(default_factory=no_metadata)


@dataclass(frozen=True, slots=True)
class TrailersReply:
    """Goes on with the trailers."""

    mutation: HeaderMutation = NO_MUTATION


@dataclass(frozen=True, slots=True)
class ImmediateResponse:
    """We answer, upstream is not called; Envoy adds the content-length.

    Raises:
        LocalProtocolError: no final status, or a header that Envoy forbids.
    """

    status: int
    headers: tuple[Pair, ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    #: For Envoy's access log: one word that says why.
    details: str = ""
    dynamic_metadata: Metadata = field(default_factory=no_metadata)

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 599:  # noqa: PLR2004 - the range of final status codes
            raise LocalProtocolError(f"{self.status} is not a final status code")
        if HeaderMutation(self.headers).touches("content-length"):
            raise LocalProtocolError("content-length follows from the body; Envoy sets it")


@dataclass(frozen=True, slots=True)
class MoreTime:
    """Asks Envoy to wait longer for the reply to a message; the reply follows. Once for each message.

    Envoy heeds it up to the filter's `max_message_timeout`.
    Source: external_processor.proto, ProcessingResponse.override_message_timeout.

    Raises:
        LocalProtocolError: Envoy takes no less than a millisecond.
    """

    timeout_s: float

    def __post_init__(self) -> None:
        if not self.timeout_s >= MORE_TIME_MIN_S:
            raise LocalProtocolError(f"{self.timeout_s} s is no time to wait")


#: The shortest time that Envoy takes.
MORE_TIME_MIN_S: Final = 0.001

Reply: TypeAlias = HeadersReply | BodyReply | TrailersReply | ImmediateResponse | MoreTime
