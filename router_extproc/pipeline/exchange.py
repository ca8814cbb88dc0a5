"""One exchange with Envoy, carried out: the pipeline on the way in, the observer on the way back.

It is not the protocol (`protocol.exchange` checks that) and knows no gRPC. The rule it keeps: what is
not ours passes untouched, and a body that is too large or unreadable is refused before Envoy holds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from router_extproc.clock import Clock
from router_extproc.dialects.base import Dialect
from router_extproc.errors import (
    HeadersTooLarge,
    MalformedRequest,
    RequestError,
    RequestTooLarge,
    UnsupportedRequest,
)
from router_extproc.pipeline.caching.coalescing import Coalescer, Follower, Leader
from router_extproc.pipeline.caching.savings import Savings
from router_extproc.pipeline.decision import Decision, Forward, Reject, Replay
from router_extproc.pipeline.mutations import PASS, ask_body, reject, reply_to_body
from router_extproc.pipeline.observer import AnswerObserver, Observation
from router_extproc.pipeline.parsed_request import RawRequest, joined_headers
from router_extproc.pipeline.report import DecisionReport, Listener
from router_extproc.pipeline.request import RequestPipeline
from router_extproc.pipeline.request_ids import NO_IDS, read_request_ids
from router_extproc.protocol.driver import DeferredReply
from router_extproc.protocol.events import (
    AnswerChunk,
    AnswerStarted,
    BodyReceived,
    BodyTooLarge,
    RequestStarted,
)
from router_extproc.protocol.headers import HeaderMutation, Headers
from router_extproc.protocol.messages import (
    MORE_TIME_MIN_S,
    BodyReply,
    HeadersReply,
    ImmediateResponse,
    MoreTime,
)
from router_extproc.protocol.modes import Role
from router_extproc.protocol.names import METADATA_NAMESPACE, MODEL_HEADER, TOKEN_KEY

_READABLE_ENCODINGS = frozenset({"", "identity"})
_CONTINUE = HeadersReply()
#: Another model's pool answered than the header would say; only an inline stream can still take it off.
_UNNAMED = HeadersReply(HeaderMutation(remove=(MODEL_HEADER,)))


@dataclass(frozen=True, slots=True)
class ExchangeParts:
    """What every exchange of this process shares."""

    pipeline: RequestPipeline
    observer: AnswerObserver
    #: The dialect of a method and path, if any.
    find_dialect: Callable[[str, str], Dialect | None]
    listener: Listener
    clock: Clock
    savings: Savings
    #: None: equal requests do not wait for each other.
    coalescer: Coalescer | None
    #: For a reply after a wait, in seconds.
    message_timeout_s: float
    #: Waits; tests hand in their own.
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    def drive(self, role: Role) -> RoutedExchange:
        """A driver for a new stream."""
        return RoutedExchange(self, role)


class RoutedExchange:
    """Drives one exchange; its calls never overlap."""

    def __init__(self, parts: ExchangeParts, role: Role) -> None:
        self._parts = parts
        self._role = role
        self._headers = Headers()
        self._dialect: Dialect | None = None
        self._ids = NO_IDS
        #: None: the request's body has not come.
        self._body_bytes: int | None = None
        #: Of an inline stream, which sees its own request.
        self._token: str | None = None
        self._observation: Observation | None = None
        self._leader: Leader | None = None

    async def on_request_headers(self, event: RequestStarted) -> HeadersReply | ImmediateResponse:
        """Ask for the body of a request that is ours, let everything else pass."""
        method, path = event.headers.get(":method") or "", event.headers.get(":path") or ""
        dialect = self._parts.find_dialect(method, path)
        if dialect is None:
            return PASS
        self._dialect, self._headers = dialect, event.headers
        self._ids = read_request_ids(event.headers)
        error = _refusal(event)
        return ask_body(self._role) if error is None else self._reject(dialect, error)

    async def on_request_body(
        self, event: BodyReceived | BodyTooLarge
    ) -> BodyReply | ImmediateResponse | DeferredReply:
        """Carry out the decision on the whole request."""
        if self._dialect is None:
            return BodyReply()
        if isinstance(event, BodyTooLarge):
            return self._reject(self._dialect, _too_large())
        started_s = self._parts.clock.monotonic_s()
        self._body_bytes = len(event.body)
        raw = RawRequest(self._dialect, self._headers, event.body, self._ids)
        decision = await self._parts.pipeline.decide(raw)
        duration_s = self._parts.clock.monotonic_s() - started_s
        match self._join(decision, duration_s):
            case Follower() as follower if isinstance(decision, Forward):
                return self._follow(follower, raw, decision, duration_s)
            case Leader() as leader if self._role is Role.DECIDE:
                return self._lead(leader, decision, duration_s)
        return self._delay(decision, duration_s) or self._carry_out(decision, duration_s)

    def _delay(self, decision: Decision, duration_s: float) -> DeferredReply | None:
        """A hit that must take as long as a miss, if it is one."""
        delay_s = self._delay_s(decision, duration_s)
        if delay_s < MORE_TIME_MIN_S:
            return None

        async def then() -> BodyReply | ImmediateResponse:
            await self._parts.pause(delay_s)
            return self._carry_out(decision, duration_s)

        return DeferredReply(MoreTime(delay_s + self._parts.message_timeout_s), then)

    def _delay_s(self, decision: Decision, spent_s: float) -> float:
        hit_timing = self._parts.observer.hit_timing
        if hit_timing is None or not isinstance(decision, Replay) or not decision.cache.hidden:
            return 0.0
        streamed = "event-stream" in decision.rendered.content_type
        return hit_timing.delay_s(decision.model, spent_s, streamed=streamed)

    def _carry_out(
        self, decision: Decision, duration_s: float, *, waited: bool = False
    ) -> BodyReply | ImmediateResponse:
        self._report(decision, duration_s, waited=waited)
        if isinstance(decision, Replay):
            self._parts.savings.add(decision.saved)
        if isinstance(decision, Forward):
            self._token = decision.write_token
            self._take_feedback(decision)
        return reply_to_body(decision)

    def _take_feedback(self, decision: Forward) -> None:
        shadow = self._parts.observer.shadow
        if shadow is not None and decision.feedback is not None:
            shadow.take_feedback(decision.feedback)

    def _join(self, decision: Decision, duration_s: float) -> Leader | Follower | None:
        coalescer = self._parts.coalescer
        if coalescer is None or not isinstance(decision, Forward) or decision.coalescing_key is None:
            return None
        asked_s = self._parts.clock.monotonic_s() - duration_s
        place = coalescer.join(decision.coalescing_key, asked_s=asked_s)
        self._leader = place if isinstance(place, Leader) else None
        return place

    def _lead(self, leader: Leader, decision: Decision, duration_s: float) -> BodyReply | DeferredReply:
        """Keep the stream: Envoy closes it with the exchange, and so tells when the client has gone."""
        reply, coalescer = self._carry_out(decision, duration_s), self._parts.coalescer
        if coalescer is None or isinstance(reply, ImmediateResponse):
            raise TypeError("only what is forwarded can be waited for")
        return DeferredReply(reply, lambda: coalescer.watch(leader))

    def _follow(
        self, follower: Follower, raw: RawRequest, decision: Forward, duration_s: float
    ) -> DeferredReply:
        coalescer, began_s = self._parts.coalescer, self._parts.clock.monotonic_s()

        async def then() -> BodyReply | ImmediateResponse:
            if coalescer is not None:
                await coalescer.follow(follower)
            later = await self._parts.pipeline.look_again(raw, decision)
            waited_s = self._parts.clock.monotonic_s() - began_s
            delay_s = self._delay_s(later, duration_s + waited_s)
            await self._parts.pause(min(delay_s, max(0.0, follower.left_s - waited_s)))
            return self._carry_out(later, duration_s, waited=True)

        return DeferredReply(MoreTime(follower.left_s + self._parts.message_timeout_s), then)

    def on_answer_headers(self, event: AnswerStarted) -> HeadersReply:
        """Begin to observe an answer that has a write token."""
        token = self._token or event.metadata.get(METADATA_NAMESPACE, {}).get(TOKEN_KEY)
        if token is None:
            return _CONTINUE
        headers = joined_headers(event.headers)
        self._observation = self._parts.observer.open(token, event.status, headers, event.origin)
        foreign = self._observation is not None and self._observation.foreign
        self._finish_if(last=event.last)
        return _UNNAMED if foreign else _CONTINUE

    def on_answer_chunk(self, event: AnswerChunk) -> None:
        """Read on; at the end, store."""
        if self._observation is None:
            return
        if event.body:
            self._observation.feed(event.body)
        self._finish_if(last=event.last)

    def on_closed(self, *, clean: bool) -> None:  # noqa: ARG002 - however it ended, there is no end of stream
        """An answer that is still open broke off: never store it."""
        if self._observation is not None:
            self._observation.break_off()
            self._finish_coalescing(self._observation)
        if self._leader is not None and self._parts.coalescer is not None:
            self._parts.coalescer.abandon(self._leader)

    def _finish_if(self, *, last: bool) -> None:
        if last and self._observation is not None:
            self._observation.finish()
            self._finish_coalescing(self._observation)

    def _finish_coalescing(self, observation: Observation) -> None:
        self._observation = None
        if self._parts.coalescer is not None and observation.coalescing_key is not None:
            self._parts.coalescer.finish(observation.coalescing_key)

    def _reject(self, dialect: Dialect, error: RequestError) -> ImmediateResponse:
        decision = Reject(error, dialect.render_error(error))
        self._report(decision, 0.0)
        return reject(error, decision.rendered)

    def _report(self, decision: Decision, duration_s: float, *, waited: bool = False) -> None:
        dialect = "" if self._dialect is None else self._dialect.name
        started_s = self._parts.clock.wall_s() - duration_s
        report = DecisionReport(dialect, decision, duration_s, waited, self._ids, started_s, self._body_bytes)
        self._parts.listener.decided(report)


def _refusal(event: RequestStarted) -> RequestError | None:
    if not event.headers.leave_room:
        return HeadersTooLarge("The request has more headers than this gateway accepts.")
    if event.too_large:
        return _too_large()
    if event.last:
        return MalformedRequest("The request has no body.")
    if (event.headers.get("content-encoding") or "").strip().lower() not in _READABLE_ENCODINGS:
        return UnsupportedRequest("Compressed request bodies are not supported.", param="content-encoding")
    return None


def _too_large() -> RequestTooLarge:
    return RequestTooLarge("The request body is larger than this gateway accepts.")
