"""Our stubs against envoy-data-plane, every message kind, both ways.

envoy-data-plane is generated from Envoy's own files by another compiler: what it writes is what Envoy
writes, and what it reads is what Envoy reads.
"""

from __future__ import annotations

from datetime import timedelta

import betterproto2
import pytest
from envoy_data_plane.envoy.config.core.v3 import (
    HeaderMap,
    HeaderValue,
    HeaderValueOption,
    Metadata,
)
from envoy_data_plane.envoy.config.core.v3 import HeaderValueOptionHeaderAppendAction as AppendAction
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ProcessingMode as EnvoyMode,
)
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ProcessingModeBodySendMode as EnvoyBodyMode,
)
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ProcessingModeHeaderSendMode as EnvoyHeaderMode,
)
from envoy_data_plane.envoy.service.ext_proc import v3 as envoy
from envoy_data_plane.envoy.type.v3 import HttpStatus
from envoy_data_plane.google.protobuf import Struct, Value

from router_extproc._pb import ext_proc_pb2 as pb
from router_extproc.protocol import headers, messages, modes
from router_extproc.protocol.exchange import Outgoing
from router_extproc.server.codec import decode, encode

# Ours are named by module: pydantic looks Envoy's types up in the module that first uses them.
HEADERS = headers.Headers(((":method", "POST"), ("x-a", "1")))
ENVOY_HEADERS = HeaderMap(
    headers=[HeaderValue(key=":method", raw_value=b"POST"), HeaderValue(key="x-a", raw_value=b"1")]
)
METADATA = Metadata(filter_metadata={"ours": Struct(fields={"token": Value(string_value="t")})})


def set_header(name: str, value: bytes) -> HeaderValueOption:
    return HeaderValueOption(
        header=HeaderValue(key=name, raw_value=value),
        append_action=AppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
        keep_empty_value=True,
    )


# ── from Envoy ──

FROM_ENVOY: list[tuple[envoy.ProcessingRequest, messages.Message]] = [
    (
        envoy.ProcessingRequest(
            request_headers=envoy.HttpHeaders(headers=ENVOY_HEADERS, end_of_stream=True),
            attributes={"envoy.filters.http.ext_proc": Struct(fields={"source.port": Value(number_value=1)})},
            protocol_config=envoy.ProtocolConfiguration(
                request_body_mode=EnvoyBodyMode.BUFFERED,
                response_body_mode=EnvoyBodyMode.STREAMED,
                send_body_without_waiting_for_header_response=True,
            ),
        ),
        messages.RequestHeaders(
            HEADERS,
            end_of_stream=True,
            modes=modes.BodyModes(modes.BodyMode.BUFFERED, modes.BodyMode.STREAMED),
        ),
    ),
    (
        envoy.ProcessingRequest(
            response_headers=envoy.HttpHeaders(headers=ENVOY_HEADERS),
            metadata_context=METADATA,
            observability_mode=True,
        ),
        messages.ResponseHeaders(HEADERS, metadata={"ours": {"token": "t"}}, observability=True),
    ),
    (
        envoy.ProcessingRequest(request_body=envoy.HttpBody(body=b"\x00\xff", end_of_stream=True)),
        messages.RequestBody(b"\x00\xff", end_of_stream=True),
    ),
    (
        envoy.ProcessingRequest(response_body=envoy.HttpBody(body=b"chunk"), observability_mode=True),
        messages.ResponseBody(b"chunk", observability=True),
    ),
    (
        envoy.ProcessingRequest(request_trailers=envoy.HttpTrailers(trailers=ENVOY_HEADERS)),
        messages.RequestTrailers(HEADERS),
    ),
    (
        envoy.ProcessingRequest(response_trailers=envoy.HttpTrailers(trailers=ENVOY_HEADERS)),
        messages.ResponseTrailers(HEADERS),
    ),
]


@pytest.mark.parametrize(("sent", "read"), FROM_ENVOY, ids=lambda value: type(value).__name__)
def test_what_envoy_writes_is_read(sent: envoy.ProcessingRequest, read: messages.Message) -> None:
    assert decode(bytes(sent)) == read
    assert type(decode(bytes(sent))) is type(read)


def test_every_kind_of_request_is_covered() -> None:
    kinds = {betterproto2.which_one_of(sent, "request")[0] for sent, _ in FROM_ENVOY}
    assert kinds == {field.name for field in pb.ProcessingRequest.DESCRIPTOR.oneofs_by_name["request"].fields}


# ── to Envoy ──

MODE = modes.ProcessingMode(
    request_headers=modes.HeaderMode.SEND,
    response_headers=modes.HeaderMode.SKIP,
    request_body=modes.BodyMode.BUFFERED,
    response_body=modes.BodyMode.STREAMED,
    request_trailers=modes.HeaderMode.DEFAULT,
    response_trailers=modes.HeaderMode.SEND,
)
MUTATION = headers.HeaderMutation((("x-a", "1"), ("x-b", "ü")), remove=("x-c",))
ENVOY_MUTATION = envoy.HeaderMutation(
    set_headers=[set_header("x-a", b"1"), set_header("x-b", "ü".encode())], remove_headers=["x-c"]
)
ENVOY_DYNAMIC = Struct(fields={"ours": Value(struct_value=Struct(fields={"token": Value(string_value="t")}))})


def common(**members: object) -> envoy.CommonResponse:
    return envoy.CommonResponse(**members)  # type: ignore[arg-type]  # members are named as there


TO_ENVOY: list[tuple[modes.Direction, messages.Reply, envoy.ProcessingResponse]] = [
    (
        modes.Direction.REQUEST,
        messages.HeadersReply(),
        envoy.ProcessingResponse(request_headers=envoy.HeadersResponse(response=common())),
    ),
    (
        modes.Direction.REQUEST,
        messages.HeadersReply(
            MUTATION, clear_route_cache=True, mode_override=MODE, dynamic_metadata={"ours": {"token": "t"}}
        ),
        envoy.ProcessingResponse(
            request_headers=envoy.HeadersResponse(
                response=common(header_mutation=ENVOY_MUTATION, clear_route_cache=True)
            ),
            mode_override=EnvoyMode(
                request_header_mode=EnvoyHeaderMode.SEND,
                response_header_mode=EnvoyHeaderMode.SKIP,
                request_body_mode=EnvoyBodyMode.BUFFERED,
                response_body_mode=EnvoyBodyMode.STREAMED,
                response_trailer_mode=EnvoyHeaderMode.SEND,
            ),
            dynamic_metadata=ENVOY_DYNAMIC,
        ),
    ),
    (
        modes.Direction.RESPONSE,
        messages.HeadersReply(),
        envoy.ProcessingResponse(response_headers=envoy.HeadersResponse(response=common())),
    ),
    (
        modes.Direction.REQUEST,
        messages.BodyReply(
            MUTATION, b"new", clear_route_cache=True, dynamic_metadata={"ours": {"token": "t"}}
        ),
        envoy.ProcessingResponse(
            request_body=envoy.BodyResponse(
                response=common(
                    header_mutation=ENVOY_MUTATION,
                    body_mutation=envoy.BodyMutation(body=b"new"),
                    clear_route_cache=True,
                )
            ),
            dynamic_metadata=ENVOY_DYNAMIC,
        ),
    ),
    (
        modes.Direction.REQUEST,
        messages.BodyReply(body=b""),
        envoy.ProcessingResponse(
            request_body=envoy.BodyResponse(response=common(body_mutation=envoy.BodyMutation(body=b"")))
        ),
    ),
    (
        modes.Direction.RESPONSE,
        messages.BodyReply(),
        envoy.ProcessingResponse(response_body=envoy.BodyResponse(response=common())),
    ),
    (
        modes.Direction.REQUEST,
        messages.TrailersReply(),
        envoy.ProcessingResponse(request_trailers=envoy.TrailersResponse()),
    ),
    (
        modes.Direction.RESPONSE,
        messages.TrailersReply(MUTATION),
        envoy.ProcessingResponse(response_trailers=envoy.TrailersResponse(header_mutation=ENVOY_MUTATION)),
    ),
    (
        modes.Direction.REQUEST,
        messages.MoreTime(2.25),
        envoy.ProcessingResponse(override_message_timeout=timedelta(seconds=2.25)),
    ),
    (
        modes.Direction.REQUEST,
        messages.ImmediateResponse(
            429, (("x-a", "1"),), b"slow down", "rate_limited", dynamic_metadata={"ours": {"token": "t"}}
        ),
        envoy.ProcessingResponse(
            immediate_response=envoy.ImmediateResponse(
                status=HttpStatus(code=429),
                headers=envoy.HeaderMutation(set_headers=[set_header("x-a", b"1")]),
                body=b"slow down",
                details="rate_limited",
            ),
            dynamic_metadata=ENVOY_DYNAMIC,
        ),
    ),
]


@pytest.mark.parametrize(("to", "reply", "expected"), TO_ENVOY, ids=lambda value: type(value).__name__)
def test_what_is_written_is_what_envoy_reads(
    to: modes.Direction, reply: messages.Reply, expected: envoy.ProcessingResponse
) -> None:
    assert envoy.ProcessingResponse.parse(encode(Outgoing(to, reply))) == expected


@pytest.mark.parametrize(("to", "reply", "expected"), TO_ENVOY, ids=lambda value: type(value).__name__)
def test_the_bytes_are_the_same(
    to: modes.Direction, reply: messages.Reply, expected: envoy.ProcessingResponse
) -> None:
    """Not only the same meaning: the same bytes."""
    assert encode(Outgoing(to, reply)) == bytes(expected)
