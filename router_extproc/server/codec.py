"""Decodes Envoy's bytes into messages, and encodes replies.

raw_value is read first and the only one written; every header overwrites; an unknown message is an error. The
order of messages, and what belongs to a reply, are `protocol`'s business.
Source: external_processor.proto; base.proto, HeaderValue, HeaderValueOption.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from google.protobuf.message import DecodeError

from router_extproc._pb import ext_proc_pb2 as pb
from router_extproc.errors import RemoteProtocolError
from router_extproc.protocol.exchange import Outgoing
from router_extproc.protocol.headers import HeaderMutation, Headers, Pair
from router_extproc.protocol.messages import (
    NO_ATTRIBUTES,
    NO_METADATA,
    BodyReply,
    HeadersReply,
    ImmediateResponse,
    Message,
    Metadata,
    MoreTime,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    TrailersReply,
)
from router_extproc.protocol.modes import BodyMode, BodyModes, ProcessingMode

_MICROSECONDS: Final = 1_000_000
_OVERWRITE: Final = pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


# ── from Envoy ────────────────────────────────────────────────────────────────────────────────


def decode(data: bytes) -> Message:
    """Read one processing request.

    Raises:
        RemoteProtocolError: not a processing request, or of a kind that we do not know.
    """
    try:
        request = pb.ProcessingRequest.FromString(data)
    except DecodeError as error:
        raise RemoteProtocolError("not a processing request") from error
    kind = request.WhichOneof("request")
    if kind is None:
        raise RemoteProtocolError("a processing request of unknown kind")
    return _DECODERS[kind](request, getattr(request, kind))


def _decoder_of_headers(
    kind: type[RequestHeaders | ResponseHeaders],
) -> Callable[[pb.ProcessingRequest, pb.HttpHeaders], Message]:
    def decode_headers(request: pb.ProcessingRequest, http: pb.HttpHeaders) -> Message:
        return kind(
            _headers(http.headers),
            http.end_of_stream,
            _metadata(request),
            request.observability_mode,
            _modes(request),
            _attributes(request),
        )

    return decode_headers


def _decoder_of_body(
    kind: type[RequestBody | ResponseBody],
) -> Callable[[pb.ProcessingRequest, pb.HttpBody], Message]:
    def decode_body(request: pb.ProcessingRequest, http: pb.HttpBody) -> Message:
        return kind(http.body, http.end_of_stream, request.observability_mode, _modes(request))

    return decode_body


def _decoder_of_trailers(
    kind: type[RequestTrailers | ResponseTrailers],
) -> Callable[[pb.ProcessingRequest, pb.HttpTrailers], Message]:
    def decode_trailers(request: pb.ProcessingRequest, http: pb.HttpTrailers) -> Message:
        return kind(_headers(http.trailers), request.observability_mode, _modes(request))

    return decode_trailers


_DECODERS: Final[Mapping[str, Callable[..., Message]]] = MappingProxyType(
    {
        "request_headers": _decoder_of_headers(RequestHeaders),
        "response_headers": _decoder_of_headers(ResponseHeaders),
        "request_body": _decoder_of_body(RequestBody),
        "response_body": _decoder_of_body(ResponseBody),
        "request_trailers": _decoder_of_trailers(RequestTrailers),
        "response_trailers": _decoder_of_trailers(ResponseTrailers),
    }
)


def _headers(found: pb.HeaderMap) -> Headers:
    return Headers(tuple([(header.key, _value(header)) for header in found.headers]))


def _value(header: pb.HeaderValue) -> str:
    raw = header.raw_value
    return raw.decode("utf-8", "surrogateescape") if raw else header.value


def _metadata(request: pb.ProcessingRequest) -> Metadata:
    """The strings of every namespace that the filter forwards."""
    if not request.HasField("metadata_context"):
        return NO_METADATA
    namespaces = request.metadata_context.filter_metadata
    return {
        name: {
            key: value.string_value for key, value in struct.fields.items() if value.HasField("string_value")
        }
        for name, struct in namespaces.items()
    }


def _attributes(request: pb.ProcessingRequest) -> Mapping[str, str]:
    """The strings among the attributes that the filter is configured to send."""
    if not request.attributes:
        return NO_ATTRIBUTES
    return {
        name: value.string_value
        for struct in request.attributes.values()
        for name, value in struct.fields.items()
        if value.HasField("string_value")
    }


def _modes(request: pb.ProcessingRequest) -> BodyModes | None:
    if not request.HasField("protocol_config"):
        return None
    found = request.protocol_config
    try:
        return BodyModes(BodyMode(found.request_body_mode), BodyMode(found.response_body_mode))
    except ValueError as error:
        raise RemoteProtocolError("a body mode that we do not know") from error


# ── to Envoy ──────────────────────────────────────────────────────────────────────────────────


def encode(outgoing: Outgoing) -> bytes:
    """Write one processing response."""
    reply, answer = outgoing.reply, pb.ProcessingResponse()
    prefix = outgoing.direction.value
    match reply:
        case HeadersReply():
            _fill_headers(answer, getattr(answer, f"{prefix}_headers"), reply)
        case BodyReply():
            _fill_body(answer, getattr(answer, f"{prefix}_body"), reply)
        case TrailersReply():
            _fill_trailers(getattr(answer, f"{prefix}_trailers"), reply)
        case ImmediateResponse():
            _fill_immediate(answer, reply)
        case MoreTime():
            answer.override_message_timeout.FromMicroseconds(round(reply.timeout_s * _MICROSECONDS))
    return answer.SerializeToString()


def _fill_headers(answer: pb.ProcessingResponse, part: pb.HeadersResponse, reply: HeadersReply) -> None:
    common = part.response
    common.SetInParent()
    _fill_mutation(common, reply.mutation)
    if reply.clear_route_cache:
        common.clear_route_cache = True
    if reply.mode_override is not None:
        answer.mode_override.CopyFrom(_mode(reply.mode_override))
    _fill_metadata(answer, reply.dynamic_metadata)


def _fill_body(answer: pb.ProcessingResponse, part: pb.BodyResponse, reply: BodyReply) -> None:
    common = part.response
    common.SetInParent()
    _fill_mutation(common, reply.mutation)
    if reply.body is not None:
        common.body_mutation.body = reply.body
    if reply.clear_route_cache:
        common.clear_route_cache = True
    _fill_metadata(answer, reply.dynamic_metadata)


def _fill_trailers(part: pb.TrailersResponse, reply: TrailersReply) -> None:
    part.SetInParent()
    _fill_mutation(part, reply.mutation)


def _fill_immediate(answer: pb.ProcessingResponse, reply: ImmediateResponse) -> None:
    immediate = answer.immediate_response
    immediate.status.code = reply.status
    _set_headers(immediate.headers, reply.headers)
    immediate.body = reply.body
    immediate.details = reply.details
    _fill_metadata(answer, reply.dynamic_metadata)


def _fill_mutation(part: pb.CommonResponse | pb.TrailersResponse, mutation: HeaderMutation) -> None:
    if mutation.overwrite:
        _set_headers(part.header_mutation, mutation.overwrite)
    if mutation.remove:
        part.header_mutation.remove_headers.extend(mutation.remove)


def _set_headers(mutation: pb.HeaderMutation, pairs: Iterable[Pair]) -> None:
    for name, value in pairs:
        option = mutation.set_headers.add(append_action=_OVERWRITE, keep_empty_value=True)
        option.header.key = name
        option.header.raw_value = value.encode("utf-8", "surrogateescape")


def _fill_metadata(answer: pb.ProcessingResponse, metadata: Metadata) -> None:
    for namespace, values in metadata.items():
        struct = answer.dynamic_metadata.fields[namespace].struct_value
        for key, value in values.items():
            struct.fields[key].string_value = value


@lru_cache(maxsize=16)  # the few modes of modes.py
def _mode(mode: ProcessingMode) -> pb.ProcessingMode:
    return pb.ProcessingMode(
        request_header_mode=mode.request_headers.name,
        response_header_mode=mode.response_headers.name,
        request_body_mode=mode.request_body.name,
        response_body_mode=mode.response_body.name,
        request_trailer_mode=mode.request_trailers.name,
        response_trailer_mode=mode.response_trailers.name,
    )
