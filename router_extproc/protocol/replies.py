"""Completes one reply, so that Envoy takes it as it was meant.

It knows nothing of order (`exchange.py` does). The rule it keeps: what Envoy would ignore, reject or
answer with a 500 is refused here, and what must go together is set together.
Source: external_processor.proto, CommonResponse, BodyMutation; processing_mode.proto, BodySendMode.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from router_extproc.errors import LocalProtocolError
from router_extproc.protocol.headers import HeaderMutation
from router_extproc.protocol.messages import BodyReply, HeadersReply, StreamedBody, TrailersReply
from router_extproc.protocol.modes import BodyMode, Direction
from router_extproc.protocol.names import CLUSTER_HEADER

#: The largest chunk that a full-duplex reply may carry.
MAX_STREAMED_BODY_BYTES: Final = 64 * 1024

#: A reply that goes on with one part of the exchange.
PartReply: TypeAlias = HeadersReply | BodyReply | StreamedBody | TrailersReply

_GO_ON: Final = BodyReply()


def complete(reply: PartReply, to: Direction, body_mode: BodyMode) -> PartReply:
    """The reply with all that belongs to it.

    Raises:
        LocalProtocolError: Envoy would not do what the reply says.
    """
    match reply:
        case HeadersReply():
            return _complete_headers(reply, to, body_mode)
        case BodyReply():
            return _complete_body(reply, to, body_mode)
        case StreamedBody():
            return _check_chunk(reply, body_mode)
        case trailers:
            return trailers


def _complete_headers(reply: HeadersReply, to: Direction, body_mode: BodyMode) -> HeadersReply:
    _check_length_is_ours(reply.mutation)
    if reply.mode_override is not None and body_mode is BodyMode.FULL_DUPLEX_STREAMED:
        raise LocalProtocolError("no mode override in full duplex")
    if reply.clear_route_cache or not _routes(reply.mutation, to):
        return reply
    return HeadersReply(
        reply.mutation,
        clear_route_cache=True,
        mode_override=reply.mode_override,
        dynamic_metadata=reply.dynamic_metadata,
    )


def _complete_body(reply: BodyReply, to: Direction, body_mode: BodyMode) -> BodyReply:
    if body_mode is BodyMode.FULL_DUPLEX_STREAMED:
        raise LocalProtocolError("full duplex wants streamed chunks")
    if reply is _GO_ON or reply == _GO_ON:
        return reply
    if body_mode is not BodyMode.BUFFERED:
        raise LocalProtocolError("Envoy ignores changes in a reply to a streamed body")
    _check_length_is_ours(reply.mutation)
    mutation = reply.mutation
    if reply.body is not None:
        # BUFFERED with headers SEND: Envoy answers 500 when content-length and body differ.
        mutation = mutation.with_content_length(len(reply.body))
    return BodyReply(
        mutation,
        reply.body,
        clear_route_cache=reply.clear_route_cache or _routes(mutation, to),
        dynamic_metadata=reply.dynamic_metadata,
    )


def _check_chunk(reply: StreamedBody, body_mode: BodyMode) -> StreamedBody:
    if body_mode is not BodyMode.FULL_DUPLEX_STREAMED:
        raise LocalProtocolError("a streamed chunk outside full duplex")
    if len(reply.body) > MAX_STREAMED_BODY_BYTES:
        raise LocalProtocolError(f"a chunk over {MAX_STREAMED_BODY_BYTES} bytes")
    return reply


def _check_length_is_ours(mutation: HeaderMutation) -> None:
    if mutation.touches("content-length"):
        raise LocalProtocolError("content-length follows from the body; the core sets it")


def _routes(mutation: HeaderMutation, to: Direction) -> bool:
    """The route was picked before the routing header was there (rule: clear it)."""
    return to is Direction.REQUEST and mutation.sets(CLUSTER_HEADER)
