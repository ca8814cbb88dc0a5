"""What the codec promises beyond the bytes themselves (tests/wire compares those)."""

from __future__ import annotations

import pytest

from router_extproc._pb import ext_proc_pb2 as pb
from router_extproc.errors import RemoteProtocolError
from router_extproc.protocol.exchange import Outgoing
from router_extproc.protocol.headers import HeaderMutation
from router_extproc.protocol.messages import HeadersReply, MoreTime, RequestHeaders, ResponseHeaders
from router_extproc.protocol.modes import Direction
from router_extproc.server.codec import decode, encode


def decoded_headers(*headers: pb.HeaderValue, **request: object) -> RequestHeaders:
    http = pb.HttpHeaders(headers=pb.HeaderMap(headers=headers))
    message = decode(pb.ProcessingRequest(request_headers=http, **request).SerializeToString())
    assert isinstance(message, RequestHeaders)
    return message


def written(reply: HeadersReply) -> pb.ProcessingResponse:
    return pb.ProcessingResponse.FromString(encode(Outgoing(Direction.REQUEST, reply)))


def test_raw_value_is_read_before_value() -> None:
    """STYLE §2 rule 9: Envoy fills raw_value; a value beside it is not the header."""
    message = decoded_headers(pb.HeaderValue(key="a", value="wrong", raw_value=b"right"))
    assert message.headers.get("a") == "right"


def test_value_is_read_where_there_is_no_raw_value() -> None:
    assert decoded_headers(pb.HeaderValue(key="a", value="old")).headers.get("a") == "old"


def test_any_bytes_of_a_header_survive_the_way_in_and_out() -> None:
    """HTTP header values are bytes; a client must not break a stream with them."""
    raw = bytes(range(1, 256)).translate(None, b"\r\n")
    value = decoded_headers(pb.HeaderValue(key="a", raw_value=raw)).headers.get("a")
    assert value is not None
    option = written(HeadersReply(HeaderMutation((("a", value),)))).request_headers.response.header_mutation
    assert option.set_headers[0].header.raw_value == raw


def test_every_header_overwrites_and_is_raw() -> None:
    """STYLE §2 rule 7: the default is to append, and then a spoofed value would stay."""
    mutation = HeaderMutation((("a", "1"), ("b", "")))
    options = written(HeadersReply(mutation)).request_headers.response.header_mutation.set_headers
    assert {option.append_action for option in options} == {pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD}
    assert {option.header.value for option in options} == {""}


def test_metadata_that_is_no_string_is_left_out() -> None:
    metadata = pb.Metadata()
    metadata.filter_metadata["ours"].update({"token": "t", "count": 3, "nested": {"a": "b"}})
    assert decoded_headers(metadata_context=metadata).metadata == {"ours": {"token": "t"}}


def test_more_time_is_a_message_about_nothing_else() -> None:
    """Envoy ignores whatever else stands beside it."""
    written = pb.ProcessingResponse.FromString(encode(Outgoing(Direction.REQUEST, MoreTime(2.25))))
    assert written.override_message_timeout.ToMilliseconds() == 2250
    written.ClearField("override_message_timeout")
    assert written == pb.ProcessingResponse()


@pytest.mark.parametrize("data", [b"", b"\x50\x01", b"\x9a\x06\x00"])
def test_a_message_of_unknown_kind_is_refused(data: bytes) -> None:
    """STYLE §2 rule 10: a newer Envoy's message is an error, never a guess."""
    with pytest.raises(RemoteProtocolError, match="unknown kind"):
        decode(data)


def test_bytes_that_are_no_message_are_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="not a processing request"):
        decode(b"\xff\xff")


def test_an_unknown_body_mode_is_refused() -> None:
    config = pb.ProtocolConfiguration(request_body_mode=99)
    with pytest.raises(RemoteProtocolError, match="body mode"):
        decoded_headers(protocol_config=config)


def test_attributes_are_read_as_strings() -> None:
    """Of the cluster that answered; what is no string is nothing that we asked for."""
    struct = {"xds.cluster_name": "vllm_small", "response.code": 200}
    message = decoded_headers()
    assert message.attributes == {}
    request = pb.ProcessingRequest(response_headers=pb.HttpHeaders())
    request.attributes["envoy.filters.http.ext_proc"].update(struct)
    answer = decode(request.SerializeToString())
    assert isinstance(answer, ResponseHeaders)
    assert answer.attributes == {"xds.cluster_name": "vllm_small"}
