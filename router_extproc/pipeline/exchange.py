"""One exchange with Envoy: the pipeline on the way in, the observer on the way back.

A driver of the protocol's events, and of nothing else. What is not ours passes untouched; a body that is too
large or unreadable is refused before Envoy holds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from router_extproc.clock import Clock
from router_extproc.dialects.base import Dialect
from router_extproc.dialects.path_forms import PLAIN_ONLY, PathForms
from router_extproc.dialects.routed.base import RoutedApi
from router_extproc.errors import RequestError, RequestTooLarge, UnsupportedCoding
from router_extproc.pipeline.by_name import NamedRequest, RoutingByName
from router_extproc.pipeline.caching.coalescing import Follower, Leader
from router_extproc.pipeline.caching.savings import Savings
from router_extproc.pipeline.coded_bodies import TOO_LARGE
from router_extproc.pipeline.consequences import Consequences
from router_extproc.pipeline.counting import RoutedRequests
from router_extproc.pipeline.decision import Decision, Forward, Reject
from router_extproc.pipeline.deferred import Coalescing, HiddenHits, Waits
from router_extproc.pipeline.failover.retry import RetryExchange, RetryParts
from router_extproc.pipeline.model_list import ModelList
from router_extproc.pipeline.more_headers import MoreHeaders
from router_extproc.pipeline.mutations import PASS, ask_body, reject
from router_extproc.pipeline.observer import AnswerObserver
from router_extproc.pipeline.operators import NO_OPERATORS, NOT_SENT, DebugHeader, Operators, without_token
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.pipeline.passing_answer import AnswerChanges, PassingAnswer
from router_extproc.pipeline.report import DecisionReport, Listener
from router_extproc.pipeline.request import RequestPipeline
from router_extproc.pipeline.request_headers import check_headers
from router_extproc.pipeline.request_ids import NO_EXCHANGE, ExchangeStart, read_request_ids
from router_extproc.pipeline.token import WriteToken
from router_extproc.protocol.driver import DeferredReply, ExchangeDriver
from router_extproc.protocol.events import (
    AnswerChunk,
    AnswerStarted,
    BodyReceived,
    BodyTooLarge,
    RequestStarted,
)
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse
from router_extproc.protocol.modes import Role
from router_extproc.protocol.names import METADATA_NAMESPACE, TOKEN_KEY

_CONTINUE = HeadersReply()

#: What is understood of a method and path; None: nothing, it passes untouched.
FindApi: TypeAlias = Callable[[str, str], Dialect | RoutedApi | None]


@dataclass(frozen=True, slots=True)
class ExchangeParts:
    """What every exchange of this process shares."""

    pipeline: RequestPipeline
    observer: AnswerObserver
    #: The dialect, or the API that is only routed, of a method and path.
    find_api: FindApi
    by_name: RoutingByName
    clock: Clock
    consequences: Consequences
    hidden: HiddenHits
    #: None: equal requests do not wait for each other.
    coalescing: Coalescing | None
    operators: Operators = NO_OPERATORS
    #: None: the pools tell it.
    model_list: ModelList | None = None
    path_forms: PathForms = PLAIN_ONLY

    @classmethod
    def of(  # noqa: PLR0917 - once a process, by whoever puts it together
        cls,
        pipeline: RequestPipeline,
        observer: AnswerObserver,
        find_api: FindApi,
        listener: Listener,
        clock: Clock,
        savings: Savings,
        message_timeout_s: float,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        coalesces: bool = True,
        operators: Operators = NO_OPERATORS,
        more_headers: MoreHeaders | None = None,
        model_list: ModelList | None = None,
        path_forms: PathForms = PLAIN_ONLY,
    ) -> ExchangeParts:
        """The parts of a process; coalescing, hit timing and shadow comparisons are those of its observer.

        coalesces: equal requests wait for each other. Whether or not they do, the observer ends the waits of
        requests that began under another policy.
        """
        hidden = HiddenHits(observer.hit_timing, Waits(clock, message_timeout_s, pause))
        coalescer = observer.coalescer
        coalescing = Coalescing(coalescer, pipeline, hidden) if coalescer is not None and coalesces else None
        consequences = Consequences(listener, savings, observer.shadow, more_headers, observer.traffic)
        by_name = RoutingByName(
            clock,
            pipeline.reader.catalogue,
            pipeline.policy,
            pipeline.bodies,
            pipeline.traffic,
            pipeline.tenants,
        )
        parts = (pipeline, observer, find_api, by_name, clock, consequences, hidden, coalescing)
        return cls(*parts, operators, model_list, path_forms)

    async def decide(
        self,
        api: Dialect | RoutedApi,
        headers: Headers,
        body: bytes,
        exchange: ExchangeStart = NO_EXCHANGE,
        coding: str = "",
        *,
        only_observed: bool = False,
    ) -> Decision:
        """The decision on one request; never raises on what a client sent.

        only_observed: nothing can be taken out of its answer.
        """
        model = self.path_forms.plain(headers.get(":path") or "").model
        if isinstance(api, RoutedApi):
            request = NamedRequest(api, headers, body, exchange, coding, model)
            return await RoutedRequests(self.by_name, self.pipeline).decide(request)
        raw = RawRequest(api, headers, body, exchange, coding, model, only_observed)
        return await self.pipeline.decide(raw)

    def drive(self, role: Role) -> ExchangeDriver:
        """A driver for a new stream."""
        if role is Role.RETRY:
            return RetryExchange(RetryParts(self.clock, self.find_api, self.observer.traffic))
        return RoutedExchange(self, role)


@dataclass(frozen=True, slots=True)
class _Request:
    """A request that is ours, as its headers say."""

    api: Dialect | RoutedApi
    headers: Headers
    exchange: ExchangeStart
    debug: DebugHeader
    #: Of its body; "": it has none.
    coding: str = ""


class RoutedExchange:
    """Drives one exchange; its calls never overlap."""

    def __init__(self, parts: ExchangeParts, role: Role) -> None:
        self._parts = parts
        self._role = role
        #: None: not ours, or not seen by this stream.
        self._request: _Request | None = None
        #: Of what was forwarded; an inline stream sees the answer to its own request.
        self._token: WriteToken | None = None
        #: None: the answer passes as it is. Nothing here holds the request's body while the answer streams.
        self._changes: AnswerChanges | None = None
        self._answer = PassingAnswer(parts.observer)
        self._leader: Leader | None = None

    async def on_request_headers(self, event: RequestStarted) -> HeadersReply | ImmediateResponse:
        """Ask for the body of a request that is ours, let everything else pass."""
        method, path = event.headers.get(":method") or "", event.headers.get(":path") or ""
        plain = self._parts.path_forms.plain(path).path
        api = self._parts.find_api(method, plain)
        if api is None:
            models = self._parts.model_list
            return (models and models.answer(method, plain, event.headers)) or PASS
        exchange = ExchangeStart(self._parts.clock.wall_s(), read_request_ids(event.headers))
        debug = self._parts.operators.read(event.headers)
        headers = without_token(event.headers) if debug.sent else event.headers
        request = self._request = _Request(api, headers, exchange, debug)
        try:
            coding = check_headers(event)
        except RequestError as error:
            return self._reject(request, error)
        if coding:
            self._request = replace(request, coding=coding)
        read_s = self._parts.pipeline.bodies.time_s(event.headers.content_length() or 0, coding)
        return ask_body(self._role, time_s=self._parts.hidden.time_s(read_s) if read_s else 0.0)

    async def on_request_body(
        self, event: BodyReceived | BodyTooLarge
    ) -> BodyReply | ImmediateResponse | DeferredReply:
        """Carry out the decision on the whole request, now or after a wait."""
        request = self._request
        if request is None:
            return BodyReply()
        if isinstance(event, BodyTooLarge):
            return self._reject(request, RequestTooLarge(TOO_LARGE))
        read_s = self._parts.pipeline.bodies.time_s(len(event.body), request.coding)
        if read_s:
            decide = partial(self._decide, request, event.body)
            return self._parts.hidden.after(read_s, decide, self._carry_out)
        report = await self._decide(request, event.body)
        deferred = self._coalesce(report) or self._parts.hidden.defer(report, self._carry_out)
        return deferred or self._carry_out(report)

    async def _decide(self, request: _Request, body: bytes) -> DecisionReport:
        clock = self._parts.clock
        started_s, begun_s = clock.wall_s(), clock.monotonic_s()
        raw = (request.api, request.headers, body, request.exchange, request.coding)
        decision = await self._parts.decide(*raw, only_observed=self._role is not Role.INLINE)
        duration_s, size = clock.monotonic_s() - begun_s, len(body)
        return DecisionReport(
            request.api.name,
            request.exchange,
            decision,
            started_s,
            duration_s,
            body_bytes=size,
            policy_version=self._parts.operators.policy_version,
        )

    def _coalesce(self, report: DecisionReport) -> DeferredReply | None:
        coalescing = self._parts.coalescing
        if coalescing is None:
            return None
        match coalescing.join(report):
            case Follower() as follower:
                return coalescing.follow(follower, report, self._carry_out)
            case Leader() as leader:
                self._leader = leader
                # An inline stream stays open by itself until the answer has passed.
                if self._role is Role.DECIDE:
                    return coalescing.lead(leader, self._carry_out(report))
        return None

    def _carry_out(self, report: DecisionReport) -> BodyReply | ImmediateResponse:
        if isinstance(report.decision, Forward):
            self._token = report.decision.write_token
            self._changes = self._changes_of(report.decision)
        reply = self._parts.consequences.carry_out(report, self._role)
        if self._request is not None and isinstance(reply, BodyReply):
            reply = self._at_plain_path(reply, self._request.headers.get(":path") or "")
        debug = NOT_SENT if self._request is None else self._request.debug
        return self._parts.operators.tell(reply, debug, report.decision.explanation)

    def _at_plain_path(self, reply: BodyReply, path: str) -> BodyReply:
        """The reply, with the path as pools know it; an Envoy without our routes takes it off nothing."""
        plain = self._parts.path_forms.plain(path).path
        if plain == path:
            return reply
        overwrite = (*reply.mutation.overwrite, (":path", plain))
        return replace(reply, mutation=replace(reply.mutation, overwrite=overwrite))

    def _reject(self, request: _Request, error: RequestError) -> ImmediateResponse:
        """Refuse what the pipeline never sees."""
        decision, now_s = Reject(error, request.api.render_error(error)), self._parts.clock.wall_s()
        operators = self._parts.operators
        version = operators.policy_version
        report = DecisionReport(
            request.api.name, request.exchange, decision, now_s, 0.0, policy_version=version
        )
        self._parts.consequences.listener.decided(report)
        accepted = {"accept-encoding": error.accepted} if isinstance(error, UnsupportedCoding) else {}
        return operators.answer(reject(error, decision.rendered, accepted), request.debug)

    def on_answer_headers(self, event: AnswerStarted) -> HeadersReply | ImmediateResponse:
        """Begin to observe an answer that has a write token, and to change one that is to be changed."""
        token = self._told_token(event)
        if token is None:
            return _CONTINUE
        return self._answer.begin(event, token, self._changes)

    def _changes_of(self, forward: Forward) -> AnswerChanges | None:
        """What changes in the answer; only an inline stream can change it."""
        api = None if self._request is None else self._request.api
        if self._role is not Role.INLINE or api is None or isinstance(api, RoutedApi):
            return None
        return AnswerChanges(api, forward.redacted, forward.usage_asked)

    def _told_token(self, event: AnswerStarted) -> WriteToken | str | None:
        """Of the request as it was sent last: another pool may have got it than the one that was chosen."""
        told, own = event.metadata.get(METADATA_NAMESPACE, {}).get(TOKEN_KEY), self._token
        return told or own if own is None or own.failover is not None else own

    def on_answer_chunk(self, event: AnswerChunk) -> bytes | None:
        """Read on; at the end, store. What the pool said is observed, what is returned is for the client."""
        return self._answer.feed(event)

    def on_closed(self, *, clean: bool) -> None:  # noqa: ARG002 - however it ended, there is no end of stream
        """An answer that is still open broke off: never store it."""
        self._answer.break_off()
        if self._leader is not None and self._parts.coalescing is not None:
            self._parts.coalescing.coalescer.abandon(self._leader)
