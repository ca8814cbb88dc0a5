from __future__ import annotations

from dataclasses import replace

from router_extproc.protocol.driver import DeferredReply, Step, step
from router_extproc.protocol.events import AnswerChunk, AnswerStarted, BodyReceived, RequestStarted
from router_extproc.protocol.exchange import Exchange, Outgoing
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import (
    BodyReply,
    HeadersReply,
    MoreTime,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    TrailersReply,
)
from router_extproc.protocol.modes import Direction, Role
from router_extproc.testing.recording_driver import ASK_BODY, RecordingDriver

OK = Headers(((":status", "200"),))


async def test_each_message_gets_the_reply_of_its_kind() -> None:
    exchange, driver = Exchange(Role.INLINE, max_body_bytes=100), RecordingDriver()
    messages = (
        RequestHeaders(Headers()),
        RequestBody(b"{}"),
        RequestTrailers(Headers()),
        ResponseHeaders(OK),
        ResponseBody(b"a"),
        ResponseTrailers(Headers()),
    )
    replies = [await step(exchange, driver, message) for message in messages]
    assert replies == [
        Outgoing(Direction.REQUEST, ASK_BODY),
        Outgoing(Direction.REQUEST, BodyReply()),
        Outgoing(Direction.REQUEST, TrailersReply()),
        Outgoing(Direction.RESPONSE, HeadersReply()),
        Outgoing(Direction.RESPONSE, BodyReply()),
        Outgoing(Direction.RESPONSE, TrailersReply()),
    ]


async def test_the_driver_sees_every_event_but_request_trailers() -> None:
    exchange, driver = Exchange(Role.INLINE, max_body_bytes=100), RecordingDriver()
    for message in (
        RequestHeaders(Headers()),
        RequestBody(b"{}"),
        RequestTrailers(Headers()),
        ResponseHeaders(OK),
        ResponseBody(b"a", end_of_stream=True),
    ):
        await step(exchange, driver, message)
    assert driver.events == [
        RequestStarted(Headers(), last=False),
        BodyReceived(b"{}", last=False),
        AnswerStarted(200, OK, last=False),
        AnswerChunk(b"a", last=True),
    ]


async def test_an_observer_sees_the_answer_and_says_nothing() -> None:
    """In observability mode a reply would be a spurious message to Envoy."""
    exchange, driver = Exchange(Role.OBSERVE, max_body_bytes=100), RecordingDriver()
    messages = (
        RequestHeaders(Headers(), observability=True),
        ResponseHeaders(OK, observability=True),
        ResponseBody(b"a", end_of_stream=True, observability=True),
    )
    assert [await step(exchange, driver, message) for message in messages] == [None, None, None]
    assert driver.events == [AnswerStarted(200, OK, last=False), AnswerChunk(b"a", last=True)]


async def test_an_unfinished_reply_is_said_in_two_parts() -> None:
    async def then() -> BodyReply:
        return BodyReply()

    exchange = Exchange(Role.DECIDE, max_body_bytes=100)
    driver = RecordingDriver(to_body=DeferredReply(MoreTime(1.0), then))
    await step(exchange, driver, RequestHeaders(Headers()))
    begun = await step(exchange, driver, RequestBody(b"{}", end_of_stream=True))
    assert isinstance(begun, Step)
    assert begun.outgoing == Outgoing(Direction.REQUEST, MoreTime(1.0))
    assert await begun.rest() == Outgoing(Direction.REQUEST, BodyReply())
    assert exchange.ended


async def test_time_for_the_reply_to_a_body_is_asked_for_right_behind_the_reply_to_the_headers() -> None:
    """Envoy counts from the moment in which it sends the body, which may be long on its way."""
    exchange = Exchange(Role.DECIDE, max_body_bytes=100)
    driver = RecordingDriver(to_headers=replace(ASK_BODY, body_time_s=3.0))
    begun = await step(exchange, driver, RequestHeaders(Headers()))
    assert isinstance(begun, Step)
    assert isinstance(begun.outgoing.reply, HeadersReply)
    assert await begun.rest() == Outgoing(Direction.REQUEST, MoreTime(3.0))
    last = await step(exchange, driver, RequestBody(b"{}", end_of_stream=True))
    assert last == Outgoing(Direction.REQUEST, BodyReply())
