"""Any messages, any replies: the protocol core says yes or a ProtocolError, and nothing else."""

from __future__ import annotations

import asyncio
import copy
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from router_extproc.errors import LocalProtocolError, RemoteProtocolError
from router_extproc.protocol.exchange import Exchange, Outgoing
from router_extproc.protocol.headers import HeaderMutation, Headers
from router_extproc.protocol.messages import (
    BodyReply,
    HeadersReply,
    ImmediateResponse,
    Message,
    Reply,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    TrailersReply,
)
from router_extproc.protocol.modes import (
    REFUSED_REQUEST_BODY_MODES,
    BodyMode,
    BodyModes,
    Direction,
    HeaderMode,
    ProcessingMode,
    Role,
)
from router_extproc.server.codec import decode, encode
from router_extproc.testing.fake_envoy import FakeEnvoy, PoolAnswer, Profile
from router_extproc.testing.recording_driver import RecordingDriver

MAX_BODY_BYTES = 8

names = st.sampled_from(
    ["x-router-cluster", "x-a", "content-length", ":path", "host", "x-envoy-a", "X-B", "bad name"]
)
values = st.text(st.characters(max_codepoint=300), max_size=8)
pairs = st.lists(st.tuples(names, values), max_size=4).map(tuple)
bodies = st.binary(max_size=2 * MAX_BODY_BYTES)
lengths = st.sampled_from(["0", "8", "9", "1" * 30, "²", "x"]).map(lambda value: ("content-length", value))
statuses = st.sampled_from(["200", "404", "", "²00", "20"]).map(lambda value: (":status", value))
headers = st.tuples(pairs, st.lists(lengths | statuses, max_size=2)).map(
    lambda found: Headers((*found[0], *found[1]))
)
body_modes = st.none() | st.builds(BodyModes, st.sampled_from(BodyMode), st.sampled_from(BodyMode))

messages: st.SearchStrategy[Message] = st.one_of(
    *(
        st.builds(kind, headers, end_of_stream=st.booleans(), observability=st.booleans(), modes=body_modes)
        for kind in (RequestHeaders, ResponseHeaders)
    ),
    *(
        st.builds(kind, bodies, end_of_stream=st.booleans(), observability=st.booleans(), modes=body_modes)
        for kind in (RequestBody, ResponseBody)
    ),
    *(
        st.builds(kind, headers, observability=st.booleans(), modes=body_modes)
        for kind in (RequestTrailers, ResponseTrailers)
    ),
)


@st.composite
def mutations(draw: st.DrawFn) -> HeaderMutation:
    """A mutation that could be built."""
    try:
        return HeaderMutation(draw(pairs), draw(st.lists(names, max_size=2).map(tuple)))
    except LocalProtocolError:
        return HeaderMutation()


modes = st.builds(
    ProcessingMode,
    request_body=st.sampled_from(sorted(set(BodyMode) - REFUSED_REQUEST_BODY_MODES.keys())),
    response_headers=st.sampled_from(HeaderMode),
    response_body=st.sampled_from(BodyMode),
)
header_replies = st.builds(HeadersReply, mutations(), st.booleans(), st.none() | modes)
body_replies = st.builds(BodyReply, mutations(), st.none() | bodies, st.booleans())
immediates = st.builds(ImmediateResponse, st.integers(200, 599), body=bodies)
replies: st.SearchStrategy[Reply] = st.one_of(
    header_replies,
    body_replies,
    st.builds(TrailersReply, mutations()),
    immediates,
)
steps = st.lists(
    messages | st.tuples(replies, st.sampled_from(Direction)) | st.sampled_from(Direction), max_size=30
)


Done = Message | Direction | tuple[Reply, Direction]


def run(exchange: Exchange, done: Done) -> None:
    """One step, either side's; what goes out can be written."""
    if isinstance(done, tuple):
        encode(exchange.send(*done))
    elif isinstance(done, Direction):
        encode(exchange.go_on(done))
    else:
        exchange.receive(done)


def after(exchange: Exchange, taken: list[Done]) -> Exchange:
    """The exchange after every step that it did not refuse."""
    for done in taken:
        refusal = RemoteProtocolError if isinstance(done, Message) else LocalProtocolError
        with suppress(refusal):
            run(exchange, done)
    return exchange


def can_go_on(exchange: Exchange) -> list[Outgoing | None]:
    """What "go on" would send in each direction."""
    seen: list[Outgoing | None] = []
    for to in Direction:
        try:
            seen.append(copy.deepcopy(exchange).go_on(to))
        except LocalProtocolError:
            seen.append(None)
    return seen


@settings(deadline=None)
@given(st.sampled_from(Role), steps)
def test_any_sequence_is_taken_or_refused(role: Role, taken: list[Done]) -> None:
    """Ours is a LocalProtocolError, Envoy's a RemoteProtocolError, anything else a bug."""
    after(Exchange(role, max_body_bytes=MAX_BODY_BYTES), taken)


@settings(deadline=None)
@given(st.sampled_from(Role), steps, replies, st.sampled_from(Direction))
def test_a_refused_reply_changes_nothing(role: Role, taken: list[Done], reply: Reply, to: Direction) -> None:
    """So a driver's mistake can still be answered with "go on"."""
    exchange = after(Exchange(role, max_body_bytes=MAX_BODY_BYTES), taken)
    before = (exchange.ended, can_go_on(exchange))
    try:
        exchange.send(reply, to)
    except LocalProtocolError:
        assert (exchange.ended, can_go_on(exchange)) == before


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(written: bytes) -> None:
    with suppress(RemoteProtocolError):
        decode(written)


@dataclass(frozen=True)
class Case:
    """One request, what the driver replies and what the pool answers."""

    profile: Profile
    to_headers: HeadersReply | ImmediateResponse
    to_body: BodyReply | ImmediateResponse
    body: bytes | None
    chunked: bool
    answer: PoolAnswer

    def bodies(self) -> set[bytes]:
        """What the client may get."""
        ours = {
            reply.body for reply in (self.to_headers, self.to_body) if isinstance(reply, ImmediateResponse)
        }
        return {b"".join(self.answer.chunks), *ours}


cases = st.builds(
    Case,
    st.sampled_from(["split", "inline"]),
    header_replies | immediates,
    body_replies | immediates,
    st.none() | bodies,
    st.booleans(),
    st.builds(PoolAnswer, st.lists(bodies, max_size=4).map(tuple), complete=st.booleans()),
)


@settings(deadline=None)
@given(cases)
def test_two_machines_agree_over_a_fake_wire(case: Case) -> None:
    """Whatever a driver replies, the core refuses it or Envoy takes it as it was meant.

    FakeEnvoy raises Rejected for what the real one answers with a 500 or ignores.
    """
    driver = RecordingDriver(to_headers=case.to_headers, to_body=case.to_body)
    envoy = FakeEnvoy(driver, case.profile, lambda _: case.answer, MAX_BODY_BYTES)
    sending = envoy.get("/") if case.body is None else envoy.post("/", body=case.body, chunked=case.chunked)
    with suppress(LocalProtocolError):
        received = asyncio.run(sending)
        assert received.body in case.bodies()
