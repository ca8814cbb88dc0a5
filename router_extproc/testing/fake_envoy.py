"""Envoy's side of an exchange, in words and in process: no gRPC, no sockets.

It has two filters, a pool and nothing else. It applies replies as Envoy does, and what Envoy would
answer with a 500 or silently ignore fails the test (`Rejected`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from router_extproc.protocol.driver import DriverFactory, ExchangeDriver, Step, step
from router_extproc.protocol.exchange import Exchange
from router_extproc.protocol.headers import HeaderMutation, Headers, Pair
from router_extproc.protocol.messages import (
    NO_METADATA,
    BodyReply,
    HeadersReply,
    ImmediateResponse,
    Message,
    Metadata,
    MoreTime,
    Reply,
    RequestBody,
    RequestHeaders,
    ResponseBody,
    ResponseHeaders,
    TrailersReply,
)
from router_extproc.protocol.modes import BodyMode, BodyModes, HeaderMode, ProcessingMode, Role
from router_extproc.protocol.names import CLUSTER_HEADER

Profile: TypeAlias = Literal["split", "inline"]

#: How the deciding filter of each profile is configured.
_MODES: Final[Mapping[Profile, ProcessingMode]] = {
    "split": ProcessingMode(),
    "inline": ProcessingMode(response_headers=HeaderMode.SEND, response_body=BodyMode.STREAMED),
}
_ROLES: Final[Mapping[Profile, Role]] = {"split": Role.DECIDE, "inline": Role.INLINE}


class Rejected(AssertionError):
    """Envoy would not have done what the reply says."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A request as the pool gets it."""

    headers: Headers
    body: bytes

    @property
    def cluster(self) -> str | None:
        """The cluster that the routing header names; None: Envoy's default route."""
        return self.headers.get(CLUSTER_HEADER)


@dataclass(frozen=True, slots=True)
class PoolAnswer:
    """What a pool sends back."""

    chunks: tuple[bytes, ...] = (b"{}",)
    status: int = 200
    headers: tuple[Pair, ...] = (("content-type", "application/json"),)
    #: False: the client goes away before the end.
    complete: bool = True


Pool: TypeAlias = Callable[[Forwarded], PoolAnswer]


@dataclass(frozen=True, slots=True)
class Received:
    """What the client gets, and what went to the pool on the way."""

    status: int
    headers: Headers
    body: bytes
    forwarded: Forwarded | None = None

    def header(self, name: str) -> str | None:
        """A header of the answer."""
        return self.headers.get(name)


def answer_nothing(request: Forwarded) -> PoolAnswer:
    """The pool of tests that do not look at answers."""
    del request
    return PoolAnswer()


@dataclass(frozen=True, slots=True)
class FakeEnvoy:
    """Sends requests through the filters: `await FakeEnvoy(drivers).post("/v1/models", body=b"{}")`."""

    drivers: DriverFactory
    profile: Profile = "split"
    pool: Pool = answer_nothing
    max_body_bytes: int = 1024 * 1024

    def with_pool(self, pool: Pool) -> FakeEnvoy:
        """The same, in front of another pool."""
        return replace(self, pool=pool)

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Received:
        """GET without a body."""
        return await self._request("GET", path, None, headers or {})

    async def post(
        self, path: str, *, body: bytes, headers: Mapping[str, str] | None = None, chunked: bool = False
    ) -> Received:
        """POST; `chunked`: without content-length."""
        length = {} if chunked else {"content-length": str(len(body))}
        return await self._request("POST", path, body, {**length, **(headers or {})})

    async def _request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Received:
        pseudo = ((":method", method), (":path", path), (":scheme", "http"), (":authority", "test"))
        request = Forwarded(Headers((*pseudo, *headers.items())), body or b"")
        with self._stream(_ROLES[self.profile]) as deciding:
            outcome = await deciding.decide(request, has_body=body is not None)
            if self.profile == "inline":
                outcome = await deciding.pass_answer(outcome)
        if self.profile == "split":
            with self._stream(Role.OBSERVE) as observing:
                await observing.pass_answer(outcome)
        return outcome.received()

    @contextmanager
    def _stream(self, role: Role) -> Iterator[_Stream]:
        exchange, driver = Exchange(role, max_body_bytes=self.max_body_bytes), self.drivers(role)
        clean = False
        try:
            stream = _Stream(self, exchange, driver)
            yield stream
            clean = not stream.aborted
        finally:
            driver.on_closed(clean=clean)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What goes back through the filters."""

    answer: PoolAnswer
    forwarded: Forwarded | None
    metadata: Metadata

    def received(self) -> Received:
        headers = Headers(((":status", str(self.answer.status)), *self.answer.headers))
        return Received(self.answer.status, headers, b"".join(self.answer.chunks), self.forwarded)


class _Stream:
    """One ext_proc stream, seen from Envoy. When the other side has closed it, Envoy goes on alone."""

    def __init__(self, envoy: FakeEnvoy, exchange: Exchange, driver: ExchangeDriver) -> None:
        self.aborted = False
        self._envoy = envoy
        self._exchange = exchange
        self._driver = driver
        self._mode = _MODES[envoy.profile]
        self._metadata: dict[str, Mapping[str, str]] = {}

    async def decide(self, request: Forwarded, *, has_body: bool) -> _Outcome:
        """The request's way in, up to the pool."""
        modes = BodyModes(self._mode.request_body, self._mode.response_body)
        headers = RequestHeaders(request.headers, end_of_stream=not has_body, modes=modes)
        reply = await self._tell(headers)
        if isinstance(reply, HeadersReply):
            request = Forwarded(mutated(request.headers, reply.mutation), request.body)
            self._mode = reply.mode_override or self._mode
            if has_body and self._mode.request_body is BodyMode.BUFFERED:
                reply = await self._tell(RequestBody(request.body, end_of_stream=True))
        if isinstance(reply, BodyReply):
            request = _with_body(request, reply)
        if isinstance(reply, ImmediateResponse):
            answer = PoolAnswer((reply.body,), reply.status, reply.headers)
            return _Outcome(answer, None, self._metadata)
        return _Outcome(self._envoy.pool(request), request, self._metadata)

    async def pass_answer(self, outcome: _Outcome) -> _Outcome:
        """The answer's way back, as replies change it; Envoy cuts it anywhere, and its end comes alone."""
        answer, observed = outcome.answer, self._exchange.role is Role.OBSERVE
        headers = outcome.received().headers
        metadata = outcome.metadata if observed else NO_METADATA
        reply = await self._tell(ResponseHeaders(headers, metadata=metadata, observability=observed))
        if isinstance(reply, ImmediateResponse):
            instead = PoolAnswer((reply.body,), reply.status, reply.headers)
            return replace(outcome, answer=instead)
        if isinstance(reply, HeadersReply):
            answer = replace(answer, headers=mutated(Headers(answer.headers), reply.mutation).pairs)
        passed = [
            await self._pass_chunk(ResponseBody(chunk, observability=observed)) for chunk in answer.chunks
        ]
        self.aborted = not answer.complete
        if answer.complete:
            passed.append(
                await self._pass_chunk(ResponseBody(b"", end_of_stream=True, observability=observed))
            )
        return replace(outcome, answer=replace(answer, chunks=tuple(passed)))

    async def _pass_chunk(self, chunk: ResponseBody) -> bytes:
        reply = await self._tell(chunk)
        return reply.body if isinstance(reply, BodyReply) and reply.body is not None else chunk.body

    async def _tell(self, message: Message) -> Reply | None:
        if self._exchange.ended:
            return None
        outgoing = await step(self._exchange, self._driver, message)
        if isinstance(outgoing, Step):
            wait = isinstance(outgoing.outgoing.reply, MoreTime)
            outgoing = await outgoing.rest() if wait else outgoing.outgoing
        if outgoing is None:
            return None
        if not isinstance(outgoing.reply, TrailersReply | MoreTime):
            self._metadata.update(outgoing.reply.dynamic_metadata)
        return outgoing.reply


def mutated(headers: Headers, mutation: HeaderMutation) -> Headers:
    """The headers after Envoy has applied a mutation."""
    gone = {*mutation.remove, *(name for name, _ in mutation.overwrite)}
    kept = [pair for pair in headers if pair[0] not in gone]
    return Headers((*kept, *mutation.overwrite))


def _with_body(request: Forwarded, reply: BodyReply) -> Forwarded:
    headers = mutated(request.headers, reply.mutation)
    body = request.body if reply.body is None else reply.body
    announced = headers.content_length()
    if announced is not None and announced != len(body):
        raise Rejected(f"content-length {announced}, but the body has {len(body)} bytes")
    if reply.mutation.sets(CLUSTER_HEADER) and not reply.clear_route_cache:
        raise Rejected("the route was picked before the routing header was there")
    return Forwarded(headers, body)
