"""Completes one reply, so that Envoy applies it as it was meant.

What Envoy would ignore, reject or answer with a 500 raises here; fields that Envoy only accepts
together (a new body and its content-length, the routing header and clear_route_cache) are set together.
The order of replies is checked in `exchange.py`.
Source: external_processor.proto, CommonResponse, BodyMutation; processing_mode.proto, BodySendMode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeAlias

from router_extproc.errors import LocalProtocolError
from router_extproc.protocol.headers import HeaderMutation
from router_extproc.protocol.messages import BodyReply, HeadersReply, Part, TrailersReply
from router_extproc.protocol.modes import BodyMode, Direction
from router_extproc.protocol.names import CLUSTER_HEADER

#: A reply that goes on with one part of the exchange.
PartReply: TypeAlias = HeadersReply | BodyReply | TrailersReply

#: The reply to each part that changes nothing.
UNCHANGED: Final[Mapping[Part, PartReply]] = MappingProxyType(
    {
        Part.HEADERS: HeadersReply(),
        Part.BODY: BodyReply(),
        Part.TRAILERS: TrailersReply(),
    }
)

#: The part that each reply goes on with.
PART_OF: Final[Mapping[type[PartReply], Part]] = MappingProxyType(
    {
        HeadersReply: Part.HEADERS,
        BodyReply: Part.BODY,
        TrailersReply: Part.TRAILERS,
    }
)

_GO_ON: Final = BodyReply()


def complete(reply: PartReply, to: Direction, body_mode: BodyMode) -> PartReply:
    """The reply with all that belongs to it.

    Raises:
        LocalProtocolError: Envoy would not do what the reply says.
    """
    match reply:
        case HeadersReply():
            return _complete_headers(reply, to)
        case BodyReply():
            return _complete_body(reply, to, body_mode)
        case trailers:
            return trailers


def _complete_headers(reply: HeadersReply, to: Direction) -> HeadersReply:
    _check_length_is_ours(reply.mutation)
    if reply.body_changes:
        if to is Direction.REQUEST:
            raise LocalProtocolError("only an answer is changed chunk by chunk")
        reply = replace(reply, mutation=reply.mutation.without_content_length())
    if reply.clear_route_cache or not _routes(reply.mutation, to):
        return reply
    return replace(reply, clear_route_cache=True)


def _complete_body(reply: BodyReply, to: Direction, body_mode: BodyMode) -> BodyReply:
    if reply is _GO_ON or reply == _GO_ON:
        return reply
    if body_mode is not BodyMode.BUFFERED:
        return _complete_chunk(reply, to)
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


def _complete_chunk(reply: BodyReply, to: Direction) -> BodyReply:
    """Of a reply to a chunk Envoy takes other bytes, and nothing else."""
    if to is Direction.REQUEST or reply.body is None or reply != BodyReply(body=reply.body):
        raise LocalProtocolError("Envoy ignores changes in a reply to a streamed body")
    return reply


def _check_length_is_ours(mutation: HeaderMutation) -> None:
    if mutation.touches("content-length"):
        raise LocalProtocolError("content-length follows from the body; the core sets it")


def _routes(mutation: HeaderMutation, to: Direction) -> bool:
    """The route was picked before the routing header was there (rule: clear it)."""
    return to is Direction.REQUEST and mutation.sets(CLUSTER_HEADER)
