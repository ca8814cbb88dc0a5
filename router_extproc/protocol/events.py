"""What a message means for the exchange: the events that `Exchange.receive` returns.

Limits are already checked, and the several ways in which Envoy can end a direction have become one.
An event holds all that its receiver needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import Metadata, no_metadata


@dataclass(frozen=True, slots=True)
class RequestStarted:
    """The request's headers are here."""

    headers: Headers
    #: There is no body.
    last: bool
    #: The announced body is over the limit: Envoy must not be asked for it.
    too_large: bool = False
    metadata: Metadata = field(default_factory=no_metadata)


@dataclass(frozen=True, slots=True)
class BodyReceived:
    """The request's body is here, whole."""

    body: bytes = field(repr=False)
    last: bool


@dataclass(frozen=True, slots=True)
class BodyTooLarge:
    """The request's body is over the limit; only an immediate response may follow."""

    #: What came so far, in bytes.
    size_bytes: int


@dataclass(frozen=True, slots=True)
class RequestEnded:
    """The request's trailers are here."""

    trailers: Headers


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made an answer, as far as Envoy tells; "" is not told."""

    #: The cluster of the route that was taken.
    cluster: str = ""
    #: Why the response is what it is, for example no_healthy_upstream or via_upstream.
    details: str = ""


UNTOLD: Final = Origin()


@dataclass(frozen=True, slots=True)
class AnswerStarted:
    """The response's headers are here; perhaps without a request before (Envoy answered itself)."""

    status: int
    headers: Headers
    #: There is no body.
    last: bool
    #: Holds what the deciding filter handed on.
    metadata: Metadata = field(default_factory=no_metadata)
    origin: Origin = UNTOLD


@dataclass(frozen=True, slots=True)
class AnswerChunk:
    """Some bytes of the response's body, cut anywhere; none, when trailers ended it."""

    body: bytes = field(repr=False)
    #: The answer is complete.
    last: bool


Event: TypeAlias = RequestStarted | BodyReceived | BodyTooLarge | RequestEnded | AnswerStarted | AnswerChunk
