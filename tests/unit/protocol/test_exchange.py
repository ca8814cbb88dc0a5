"""The rules of STYLE.md §2 that concern order and replies, and the table."""

from __future__ import annotations

import dataclasses

import pytest

from router_extproc.errors import LocalProtocolError, RemoteProtocolError
from router_extproc.protocol.direction import TRANSITIONS, Phase
from router_extproc.protocol.events import (
    AnswerChunk,
    AnswerStarted,
    BodyReceived,
    BodyTooLarge,
    RequestEnded,
    RequestStarted,
)
from router_extproc.protocol.exchange import EDITED_BYTES_MAX, Exchange, Outgoing
from router_extproc.protocol.headers import HeaderMutation, Headers
from router_extproc.protocol.messages import (
    BodyReply,
    HeadersReply,
    ImmediateResponse,
    Message,
    MoreTime,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    TrailersReply,
)
from router_extproc.protocol.modes import LET_PASS, BodyMode, BodyModes, Direction, ProcessingMode, Role
from router_extproc.protocol.replies import PartReply

LIMIT = 100
ASK = HeadersReply(mode_override=ProcessingMode(request_body=BodyMode.BUFFERED))
ROUTE = HeaderMutation((("x-router-cluster", "large"),))
REFUSE = ImmediateResponse(413)
OK = Headers(((":status", "200"),))


def request_headers(
    *pairs: tuple[str, str], end: bool = False, modes: BodyModes | None = None
) -> RequestHeaders:
    return RequestHeaders(Headers((*pairs,)), end_of_stream=end, modes=modes)


def observed(message: Message) -> Message:
    return dataclasses.replace(message, observability=True)


def exchange(role: Role = Role.INLINE) -> Exchange:
    return Exchange(role, max_body_bytes=LIMIT)


def asked_for_body(role: Role = Role.INLINE) -> Exchange:
    """An exchange whose request body comes next."""
    begun = exchange(role)
    begun.receive(request_headers())
    begun.send(ASK)
    return begun


# ── events ──


def test_request_headers_start_the_request() -> None:
    event = exchange().receive(
        RequestHeaders(Headers(((":path", "/"),)), end_of_stream=True, metadata={"n": {"k": "v"}})
    )
    assert event == RequestStarted(Headers(((":path", "/"),)), last=True, metadata={"n": {"k": "v"}})


def test_the_body_comes_whole() -> None:
    assert asked_for_body().receive(RequestBody(b"{}", end_of_stream=True)) == BodyReceived(b"{}", last=True)


def test_request_trailers_end_the_request() -> None:
    begun = asked_for_body()
    begun.receive(RequestBody(b"{}"))
    begun.go_on(Direction.REQUEST)
    assert begun.receive(RequestTrailers(Headers())) == RequestEnded(Headers())
    assert begun.go_on(Direction.REQUEST) == Outgoing(Direction.REQUEST, TrailersReply())


def test_an_answer_is_headers_chunks_and_an_end() -> None:
    seen = [
        exchange_.receive(message)
        for exchange_ in [exchange()]
        for message in (ResponseHeaders(OK), ResponseBody(b"a"), ResponseBody(b"", end_of_stream=True))
    ]
    assert seen == [
        AnswerStarted(200, OK, last=False),
        AnswerChunk(b"a", last=False),
        AnswerChunk(b"", last=True),
    ]


def test_trailers_end_an_answer_like_a_last_chunk() -> None:
    """Whoever stores answers must not care how a pool ends them."""
    begun = exchange()
    begun.receive(ResponseHeaders(OK))
    assert begun.receive(ResponseTrailers(Headers())) == AnswerChunk(b"", last=True)


def test_an_answer_may_come_without_a_request() -> None:
    """Envoy answers itself before the filter has seen the request."""
    assert exchange().receive(ResponseHeaders(OK, end_of_stream=True)) == AnswerStarted(200, OK, last=True)


@pytest.mark.parametrize("status", ["", "abc", "20", "2000", "²00", "099"])
def test_an_answer_without_a_status_is_refused(status: str) -> None:
    with pytest.raises(RemoteProtocolError, match="status"):
        exchange().receive(ResponseHeaders(Headers(((":status", status),))))


# ── rule 1: one reply of the matching kind per message ──


@pytest.mark.parametrize("reply", [BodyReply(), TrailersReply()])
def test_headers_want_a_headers_reply(reply: PartReply) -> None:
    begun = exchange()
    begun.receive(request_headers())
    with pytest.raises(LocalProtocolError, match="waits for a reply"):
        begun.send(reply)


def test_a_second_reply_is_refused() -> None:
    begun = exchange()
    begun.receive(request_headers())
    begun.send(HeadersReply())
    with pytest.raises(LocalProtocolError, match="waits for a reply"):
        begun.send(HeadersReply())


def test_each_direction_has_its_own_replies() -> None:
    """Envoy may answer itself while a request body waits for its reply."""
    begun = asked_for_body()
    begun.receive(RequestBody(b"{}", end_of_stream=True))
    begun.receive(ResponseHeaders(OK))
    assert begun.send(HeadersReply(), Direction.RESPONSE) == Outgoing(Direction.RESPONSE, HeadersReply())
    assert begun.send(BodyReply()) == Outgoing(Direction.REQUEST, BodyReply())


def test_several_chunks_may_wait_for_their_replies() -> None:
    begun = exchange()
    for message in (ResponseHeaders(OK), ResponseBody(b"a"), ResponseBody(b"b")):
        begun.receive(message)
    replies = [begun.go_on(Direction.RESPONSE).reply for _ in range(3)]
    assert replies == [HeadersReply(), BodyReply(), BodyReply()]


def test_nothing_is_answered_before_it_came() -> None:
    with pytest.raises(LocalProtocolError, match="nothing of the request"):
        exchange().go_on(Direction.REQUEST)


def test_observers_never_reply() -> None:
    begun = exchange(Role.OBSERVE)
    begun.receive(observed(ResponseHeaders(OK)))
    with pytest.raises(LocalProtocolError, match="observability"):
        begun.send(HeadersReply(), Direction.RESPONSE)


# ── rule 3: nothing after an immediate response ──


@pytest.mark.parametrize("reply", [HeadersReply(), BodyReply(), ImmediateResponse(200)])
def test_nothing_is_sent_after_an_immediate_response(reply: PartReply | ImmediateResponse) -> None:
    begun = exchange()
    begun.receive(request_headers())
    begun.send(ImmediateResponse(200))
    assert begun.ended
    with pytest.raises(LocalProtocolError, match="after the immediate response"):
        begun.send(reply)


def test_nothing_comes_after_an_immediate_response() -> None:
    begun = exchange()
    begun.receive(request_headers())
    begun.send(ImmediateResponse(200))
    with pytest.raises(RemoteProtocolError, match="after the immediate response"):
        begun.receive(RequestBody(b""))


def test_an_immediate_response_may_replace_the_answers_headers() -> None:
    begun = exchange()
    begun.receive(ResponseHeaders(OK))
    assert begun.send(ImmediateResponse(502), Direction.RESPONSE).direction is Direction.RESPONSE


def test_an_immediate_response_is_too_late_inside_the_answer() -> None:
    """The client has the headers: Envoy could only reset the stream."""
    begun = exchange()
    begun.receive(ResponseHeaders(OK))
    begun.send(HeadersReply(), Direction.RESPONSE)
    begun.receive(ResponseBody(b"a"))
    with pytest.raises(LocalProtocolError, match="too late"):
        begun.send(ImmediateResponse(502), Direction.RESPONSE)


def test_an_immediate_response_needs_somebody_who_waits() -> None:
    with pytest.raises(LocalProtocolError, match="nobody waits"):
        exchange().send(ImmediateResponse(200))


# ── rule 4, as Envoy reports its configuration ──


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (BodyMode.STREAMED, "loses the routing header"),
        (BodyMode.BUFFERED_PARTIAL, "loses the routing header"),
        (BodyMode.FULL_DUPLEX_STREAMED, "FULL_DUPLEX_STREAMED cannot fail open"),
        (BodyMode.GRPC, "gRPC messages"),
    ],
)
def test_a_filter_that_loses_the_routing_header_or_cannot_fail_open_is_refused(
    mode: BodyMode, why: str
) -> None:
    with pytest.raises(RemoteProtocolError, match=why):
        exchange().receive(request_headers(modes=BodyModes(mode, BodyMode.NONE)))


@pytest.mark.parametrize("mode", [BodyMode.FULL_DUPLEX_STREAMED, BodyMode.GRPC])
def test_a_filter_that_would_lose_the_answer_is_refused(mode: BodyMode) -> None:
    with pytest.raises(RemoteProtocolError, match="lose the answer"):
        exchange().receive(request_headers(modes=BodyModes(BodyMode.NONE, mode)))


@pytest.mark.parametrize("mode", [BodyMode.NONE, BodyMode.BUFFERED])
def test_a_body_that_waits_for_us_is_accepted(mode: BodyMode) -> None:
    begun = exchange()
    begun.receive(request_headers(modes=BodyModes(mode, BodyMode.STREAMED)))
    begun.send(ASK)
    assert begun.receive(RequestBody(b"{}", end_of_stream=True)) == BodyReceived(b"{}", last=True)


def test_only_the_first_message_tells_the_modes() -> None:
    begun = exchange()
    begun.receive(request_headers())
    begun.receive(RequestBody(b"", modes=BodyModes(BodyMode.STREAMED, BodyMode.NONE)))


@pytest.mark.parametrize(
    ("role", "observability"), [(Role.OBSERVE, False), (Role.DECIDE, True), (Role.INLINE, True)]
)
def test_the_role_must_fit_observability_mode(role: Role, observability: bool) -> None:  # noqa: FBT001
    """Otherwise Envoy would wait for replies that never come, or ignore those that route."""
    with pytest.raises(RemoteProtocolError, match="observability_mode"):
        exchange(role).receive(ResponseHeaders(OK, observability=observability))


# ── rule 6: a new body brings its content-length ──


def test_a_new_body_brings_its_content_length() -> None:
    begun = asked_for_body()
    begun.receive(RequestBody(b"{}", end_of_stream=True))
    sent = begun.send(BodyReply(body=b"new body"))
    assert sent.reply == BodyReply(HeaderMutation((("content-length", "8"),)), b"new body")


def test_an_empty_new_body_brings_its_content_length() -> None:
    begun = asked_for_body()
    begun.receive(RequestBody(b"{}", end_of_stream=True))
    assert begun.send(BodyReply(body=b"")).reply == BodyReply(HeaderMutation((("content-length", "0"),)), b"")


def test_an_unchanged_body_keeps_its_content_length() -> None:
    begun = asked_for_body()
    begun.receive(RequestBody(b"{}", end_of_stream=True))
    mutation = HeaderMutation((("x-a", "1"),))
    assert begun.send(BodyReply(mutation)).reply == BodyReply(mutation)


@pytest.mark.parametrize(
    "mutation", [HeaderMutation((("content-length", "1"),)), HeaderMutation(remove=("content-length",))]
)
def test_content_length_is_the_cores(mutation: HeaderMutation) -> None:
    begun = exchange()
    begun.receive(request_headers())
    with pytest.raises(LocalProtocolError, match="content-length"):
        begun.send(HeadersReply(mutation))


def test_a_chunk_of_an_answer_changes_only_where_the_headers_said_so() -> None:
    """Its content-length has left otherwise."""
    begun = exchange()
    begun.receive(ResponseHeaders(OK))
    begun.send(HeadersReply(), Direction.RESPONSE)
    begun.receive(ResponseBody(b"a"))
    with pytest.raises(LocalProtocolError, match="not announced"):
        begun.send(BodyReply(body=b"b"), Direction.RESPONSE)


def test_an_answer_that_changes_loses_its_content_length() -> None:
    begun = exchange()
    begun.receive(ResponseHeaders(OK))
    sent = begun.send(HeadersReply(body_changes=True), Direction.RESPONSE)
    assert sent.reply == HeadersReply(HeaderMutation(remove=("content-length",)), body_changes=True)
    begun.receive(ResponseBody(b"a"))
    assert begun.send(BodyReply(body=b"longer"), Direction.RESPONSE).reply == BodyReply(body=b"longer")
    begun.receive(ResponseBody(b"b", end_of_stream=True))
    assert begun.send(BodyReply(body=b""), Direction.RESPONSE).reply == BodyReply(body=b"")
    assert begun.ended


def test_headers_cannot_change_with_a_chunk() -> None:
    """Envoy would ignore it: they have left."""
    begun = exchange()
    begun.receive(ResponseHeaders(OK))
    begun.send(HeadersReply(body_changes=True), Direction.RESPONSE)
    begun.receive(ResponseBody(b"a"))
    with pytest.raises(LocalProtocolError, match="ignores changes"):
        begun.send(BodyReply(HeaderMutation((("x-a", "1"),)), b"b"), Direction.RESPONSE)


def test_a_request_does_not_change_chunk_by_chunk() -> None:
    begun = exchange()
    begun.receive(request_headers())
    with pytest.raises(LocalProtocolError, match="only an answer"):
        begun.send(HeadersReply(body_changes=True))


# ── rule 8: the body's limit ──


def test_a_body_over_the_limit_must_be_refused() -> None:
    begun = asked_for_body()
    assert begun.receive(RequestBody(b"x" * (LIMIT + 1), end_of_stream=True)) == BodyTooLarge(LIMIT + 1)
    with pytest.raises(LocalProtocolError, match="must be refused"):
        begun.send(BodyReply())
    assert begun.send(REFUSE).reply is REFUSE


def test_a_body_at_the_limit_is_taken() -> None:
    event = asked_for_body().receive(RequestBody(b"x" * LIMIT, end_of_stream=True))
    assert isinstance(event, BodyReceived)


def test_a_body_that_was_written_for_a_pool_may_be_longer_than_a_clients() -> None:
    """And its stream is over with the reply, as the deciding one is."""
    begun = exchange(Role.RETRY)
    begun.receive(request_headers(modes=BodyModes(BodyMode.BUFFERED, BodyMode.NONE)))
    begun.send(HeadersReply())
    assert not begun.ended
    longest = RequestBody(b"x" * (LIMIT + EDITED_BYTES_MAX), end_of_stream=True)
    assert isinstance(begun.receive(longest), BodyReceived)
    begun.send(BodyReply(body=b"y"))
    assert begun.ended


def test_a_body_announced_over_the_limit_is_not_asked_for() -> None:
    """Envoy would hold it until its own buffer is full, and then hang."""
    begun = exchange()
    event = begun.receive(request_headers(("content-length", str(LIMIT + 1))))
    assert isinstance(event, RequestStarted)
    assert event.too_large
    with pytest.raises(LocalProtocolError, match="must not be asked for"):
        begun.send(ASK)


@pytest.mark.parametrize("reply", [REFUSE, HeadersReply(mode_override=LET_PASS), HeadersReply()])
def test_a_body_announced_over_the_limit_is_refused_or_let_pass(
    reply: HeadersReply | ImmediateResponse,
) -> None:
    begun = exchange()
    begun.receive(request_headers(("content-length", str(LIMIT + 1))))
    assert begun.send(reply).reply == reply


# ── rule 10: what we do not expect is an error ──


@pytest.mark.parametrize(
    "message",
    [RequestBody(b""), RequestTrailers(Headers()), ResponseBody(b""), ResponseTrailers(Headers())],
)
def test_a_direction_starts_with_its_headers(message: Message) -> None:
    with pytest.raises(RemoteProtocolError, match="after start"):
        exchange().receive(message)


def test_a_buffered_body_comes_once() -> None:
    begun = asked_for_body()
    begun.receive(RequestBody(b"a"))
    with pytest.raises(RemoteProtocolError, match="after whole body seen"):
        begun.receive(RequestBody(b"b"))


def test_nothing_comes_after_the_end_of_stream() -> None:
    begun = exchange()
    begun.receive(ResponseHeaders(OK, end_of_stream=True))
    with pytest.raises(RemoteProtocolError, match="after done"):
        begun.receive(ResponseBody(b""))


def test_the_table_never_leaves_the_end() -> None:
    assert not [key for key in TRANSITIONS if key[0] is Phase.DONE]


def test_every_phase_can_be_reached() -> None:
    assert {Phase.START, *TRANSITIONS.values()} == set(Phase)


# ── rule 11: mode override in a reply to headers ──


def test_only_replies_to_headers_have_a_mode_override() -> None:
    having = {
        kind
        for kind in (HeadersReply, BodyReply, TrailersReply, ImmediateResponse)
        if "mode_override" in {field.name for field in dataclasses.fields(kind)}
    }
    assert having == {HeadersReply}


# ── rule 12: the routing header clears the route cache ──


def test_the_routing_header_clears_the_route_cache_in_headers() -> None:
    begun = exchange()
    begun.receive(request_headers())
    sent = begun.send(HeadersReply(ROUTE, mode_override=LET_PASS, dynamic_metadata={"n": {"k": "v"}}))
    assert sent.reply == HeadersReply(
        ROUTE, clear_route_cache=True, mode_override=LET_PASS, dynamic_metadata={"n": {"k": "v"}}
    )


def test_the_routing_header_clears_the_route_cache_in_a_body_reply() -> None:
    begun = asked_for_body()
    begun.receive(RequestBody(b"{}", end_of_stream=True))
    sent = begun.send(BodyReply(ROUTE, dynamic_metadata={"n": {"k": "v"}}))
    assert sent.reply == BodyReply(ROUTE, clear_route_cache=True, dynamic_metadata={"n": {"k": "v"}})


def test_clearing_the_route_cache_stays_as_asked() -> None:
    begun = exchange()
    begun.receive(request_headers())
    assert begun.send(HeadersReply(clear_route_cache=True)).reply == HeadersReply(clear_route_cache=True)


def test_an_answer_has_no_route_to_clear() -> None:
    begun = exchange()
    begun.receive(ResponseHeaders(OK))
    sent = begun.send(HeadersReply(ROUTE), Direction.RESPONSE)
    assert sent.reply == HeadersReply(ROUTE)


# ── when the stream may be closed ──


def test_a_deciding_stream_ends_with_the_reply_to_the_body() -> None:
    begun = asked_for_body(Role.DECIDE)
    begun.receive(RequestBody(b"{}", end_of_stream=True))
    assert not begun.ended
    begun.send(BodyReply())
    assert begun.ended


def test_a_deciding_stream_does_not_wait_for_trailers() -> None:
    begun = asked_for_body(Role.DECIDE)
    begun.receive(RequestBody(b"{}"))
    begun.send(BodyReply())
    assert begun.ended


def test_a_deciding_stream_ends_when_no_body_is_asked_for() -> None:
    begun = exchange(Role.DECIDE)
    begun.receive(request_headers(modes=BodyModes(BodyMode.NONE, BodyMode.NONE)))
    begun.send(HeadersReply())
    assert begun.ended


def test_a_deciding_stream_waits_for_a_body_that_the_filter_sends_unasked() -> None:
    begun = exchange(Role.DECIDE)
    begun.receive(request_headers(modes=BodyModes(BodyMode.BUFFERED, BodyMode.NONE)))
    begun.send(HeadersReply())
    assert not begun.ended


def test_a_deciding_stream_has_not_ended_before_it_began() -> None:
    assert not exchange(Role.DECIDE).ended


def test_an_inline_stream_ends_with_the_answer() -> None:
    begun = asked_for_body()
    begun.receive(RequestBody(b"{}", end_of_stream=True))
    begun.send(BodyReply())
    begun.receive(ResponseHeaders(OK, end_of_stream=True))
    assert not begun.ended
    begun.go_on(Direction.RESPONSE)
    assert begun.ended


def test_an_inline_stream_ends_when_the_request_is_let_pass() -> None:
    begun = exchange()
    begun.receive(request_headers())
    begun.send(HeadersReply(mode_override=LET_PASS))
    assert begun.ended


def test_an_observing_stream_ends_with_the_answer() -> None:
    begun = exchange(Role.OBSERVE)
    begun.receive(observed(ResponseHeaders(OK)))
    assert not begun.ended
    begun.receive(observed(ResponseBody(b"", end_of_stream=True)))
    assert begun.ended


# ── more time ─────────────────────────────────────────────────────────────────────────────────


def deciding_with_body() -> Exchange:
    exchange = Exchange(Role.DECIDE, max_body_bytes=100)
    exchange.receive(RequestHeaders(Headers()))
    exchange.send(HeadersReply(mode_override=ProcessingMode(request_body=BodyMode.BUFFERED)))
    exchange.receive(RequestBody(b"{}", end_of_stream=True))
    return exchange


def test_more_time_leaves_the_reply_owed() -> None:
    exchange = deciding_with_body()
    assert exchange.send(MoreTime(1.0)) == Outgoing(Direction.REQUEST, MoreTime(1.0))
    assert not exchange.ended
    exchange.send(BodyReply())
    assert exchange.ended


def test_more_time_is_asked_for_once() -> None:
    exchange = deciding_with_body()
    exchange.send(MoreTime(1.0))
    with pytest.raises(LocalProtocolError, match="second time"):
        exchange.send(MoreTime(1.0))


def test_more_time_can_be_asked_for_again_with_the_next_message() -> None:
    exchange = Exchange(Role.DECIDE, max_body_bytes=100)
    exchange.receive(RequestHeaders(Headers()))
    exchange.send(MoreTime(1.0))
    exchange.send(HeadersReply(mode_override=ProcessingMode(request_body=BodyMode.BUFFERED)))
    exchange.receive(RequestBody(b"{}", end_of_stream=True))
    exchange.send(MoreTime(1.0))


def test_more_time_is_for_a_reply_that_is_waited_for() -> None:
    exchange = deciding_with_body()
    exchange.send(BodyReply())
    with pytest.raises(LocalProtocolError, match="nobody waits"):
        exchange.send(MoreTime(1.0))


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.0009, float("nan")])
def test_no_time_is_no_time(seconds: float) -> None:
    with pytest.raises(LocalProtocolError, match="no time to wait"):
        MoreTime(seconds)


def test_time_is_asked_ahead_only_for_a_body_that_was_asked_for() -> None:
    begun = exchange(Role.DECIDE)
    with pytest.raises(LocalProtocolError):
        begun.ask_ahead(MoreTime(1.0))
    begun.receive(request_headers())
    with pytest.raises(LocalProtocolError):
        begun.ask_ahead(MoreTime(1.0))
    begun.send(ASK)
    assert begun.ask_ahead(MoreTime(1.0)) == Outgoing(Direction.REQUEST, MoreTime(1.0))
    begun.receive(RequestBody(b"{}", end_of_stream=True))
    with pytest.raises(LocalProtocolError):
        begun.ask_ahead(MoreTime(1.0))
    # Said once more when the body is here: an Envoy that had no body to send has not heeded it.
    assert begun.send(MoreTime(1.0)) == Outgoing(Direction.REQUEST, MoreTime(1.0))


def test_no_time_is_asked_ahead_where_no_body_is_awaited() -> None:
    begun = exchange(Role.DECIDE)
    begun.receive(request_headers())
    begun.send(HeadersReply(mode_override=LET_PASS))
    with pytest.raises(LocalProtocolError):
        begun.ask_ahead(MoreTime(1.0))
