"""The request pipeline: from a request body to a decision.

It is not the exchange with Envoy (`exchange.py`) and sends nothing. The rule it keeps: exact before
any inference, one encoder pass at most, and every failure but the client's own still ends in a
decision that forwards the request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import uuid4

from router_extproc.cache.http_caching import render_collapsed
from router_extproc.clock import Budget, Clock
from router_extproc.dialects.base import BodyEdit
from router_extproc.errors import RETRY_AFTER_S, CacheOnlyMiss, RequestError, RouterUnavailable
from router_extproc.llm.answer import Answer
from router_extproc.llm.stored import decode_answer
from router_extproc.pipeline.caching.savings import EntryWorth, Prices
from router_extproc.pipeline.caching.stage import OFF, CacheResult, CacheStage
from router_extproc.pipeline.decision import Decision, Explanation, Forward, Reject, Replay
from router_extproc.pipeline.parsed_request import ParsedRequest, RawRequest, RequestParser
from router_extproc.pipeline.signal_stage import SignalReadings, SignalStage
from router_extproc.pipeline.token import WriteToken
from router_extproc.protocol.names import CACHE_HEADER, CACHE_STATUS_HEADER
from router_extproc.routing.policy import Policy, Route
from router_extproc.routing.reasoning import reasoning_members
from router_extproc.routing.traffic import Traffic

UNKNOWN = SignalReadings({}, None, None)


@dataclass(frozen=True, slots=True)
class RequestPipeline:
    """Decides requests; every part is handed in by `app.build`."""

    clock: Clock
    reader: RequestParser
    policy: Policy
    signal_stage: SignalStage
    #: None: the cache is off.
    cache_stage: CacheStage | None
    #: For all stages of one request together, in seconds.
    budget_s: float
    prices: Prices
    #: None: no model has a fallback.
    traffic: Traffic | None = None

    async def decide(self, raw: RawRequest) -> Decision:
        """The decision on one request; never raises on what a client sent."""
        try:
            parsed = self.reader.read(raw, Budget.of(self.clock, self.budget_s))
        except RequestError as error:
            return Reject(error, raw.dialect.render_error(error))
        try:
            return self._replay_near(parsed) or await self._decide(parsed)
        except RouterUnavailable as error:
            headers = {"retry-after": str(RETRY_AFTER_S)}
            return Reject(error, raw.dialect.render_error(error), headers)

    async def look_again(self, raw: RawRequest, forward: Forward) -> Forward | Replay:
        """The decision on a request that has waited for the answer to an equal one."""
        parsed = self.reader.read(raw, Budget.of(self.clock, self.budget_s))
        cached = None if self.cache_stage is None else await self.cache_stage.exact(parsed, forward.route)
        replay = None
        if cached is not None:
            replay = self._replay(parsed, cached, forward.route, UNKNOWN)
        return self._later(forward) if replay is None else _collapsed(replay)

    def _later(self, forward: Forward) -> Forward:
        """The same, forwarded now."""
        token = forward.write_token
        if token is not None:
            token = replace(WriteToken.decode(token), started_s=self.clock.wall_s()).encode()
        return _collapsed(replace(forward, write_token=token))

    def _replay_near(self, parsed: ParsedRequest) -> Replay | None:
        cached = None if self.cache_stage is None else self.cache_stage.exact_near(parsed)
        return None if cached is None else self._replay(parsed, cached, None, UNKNOWN)

    async def _decide(self, parsed: ParsedRequest) -> Decision:
        signals_read = await self._understand(parsed)
        route = self._route(parsed, signals_read)
        cached = await self._look_up(parsed, route, signals_read)
        replay = self._replay(parsed, cached, route, signals_read)
        sent = route if self.traffic is None else self.traffic.route(route)
        if replay is None and sent.fallback_of is not None:
            # What the model itself has answered goes first; then what its fallback has.
            feedback, route = cached.feedback, sent
            cached = await self._look_up(parsed, route, signals_read)
            cached = replace(cached, feedback=cached.feedback or feedback)
            replay = self._replay(parsed, cached, route, signals_read)
        if replay is not None:
            return replay
        if parsed.directives.only_if_cached:
            return self._reject_miss(parsed, cached)
        return self._forward(parsed, cached, route, signals_read)

    async def _look_up(
        self, parsed: ParsedRequest, route: Route, signals_read: SignalReadings
    ) -> CacheResult:
        if self.cache_stage is None:
            return OFF
        return await self.cache_stage.find(parsed, route, signals_read.encoding)

    async def _understand(self, parsed: ParsedRequest) -> SignalReadings:
        if parsed.pinned is None:
            return await self.signal_stage.read(
                parsed.request, parsed.headers, parsed.budget, encode=self.cache_stage is not None
            )
        if self.cache_stage is None:
            return UNKNOWN
        return await self.signal_stage.encode_only(parsed.request, parsed.budget)

    def _route(self, parsed: ParsedRequest, signals_read: SignalReadings) -> Route:
        if parsed.pinned is not None:
            return self.policy.pin(parsed.pinned)
        return self.policy.decide(signals_read.readings, signals_read.unread)

    def _replay(
        self, parsed: ParsedRequest, cached: CacheResult, route: Route | None, signals_read: SignalReadings
    ) -> Replay | None:
        if cached.hit is None:
            return None
        entry = cached.hit.entry
        try:
            answer = decode_answer(entry.answer)
        except ValueError:
            # Written by another version, or damaged at rest: as good as not there.
            return None
        if cached.outcome.hidden:
            answer = _as_new(answer, now_s=self.clock.wall_s())
        rendered = parsed.raw.dialect.render(answer, parsed.request)
        explanation = _explain(parsed, cached, route, signals_read)
        worth = self.prices.worth(entry.model, answer.usage)
        saved = EntryWorth(entry.fingerprint, entry.model, entry.decision, worth)
        return Replay(rendered, cached.outcome, entry.model, entry.decision, explanation, saved)

    def _reject_miss(self, parsed: ParsedRequest, cached: CacheResult) -> Reject:
        error = CacheOnlyMiss("Nothing stored answers this request, and only-if-cached was asked.")
        headers = {CACHE_HEADER: cached.outcome.status, CACHE_STATUS_HEADER: cached.outcome.cache_status}
        return Reject(error, parsed.raw.dialect.render_error(error), headers)

    def _forward(
        self, parsed: ParsedRequest, cached: CacheResult, route: Route, signals_read: SignalReadings
    ) -> Forward:
        target = route.target
        members = reasoning_members(target.reasoning_family, route.reasoning)
        body = parsed.raw.dialect.edit(parsed.raw.body, BodyEdit(target.served_name, members))
        plan = (
            None if self.cache_stage is None else self.cache_stage.plan(parsed, route, signals_read.encoding)
        )
        now_s = self.clock.wall_s()
        dialect = parsed.request.dialect
        ids = parsed.raw.ids
        token = WriteToken(dialect, target.model, route.decision, now_s, plan, cached.shadow, ids)
        explanation = _explain(parsed, cached, route, signals_read)
        unchanged = body == parsed.raw.body
        key = plan.fingerprint if plan is not None and cached.outcome.status == "miss" else None
        sent = None if unchanged else body
        outcome = replace(cached.outcome, hidden=route.cache.hide_timing)
        return Forward(route, sent, outcome, token.encode(), explanation, key, cached.feedback)


def _as_new(answer: Answer, *, now_s: float) -> Answer:
    """The same answer as if it were made now: its own name and date tell that it is an old one."""
    kind, separator, _ = answer.id.partition("-")
    return replace(answer, id=f"{kind if separator else 'answer'}-{uuid4().hex}", created_s=int(now_s))


DecisionT = TypeVar("DecisionT", Forward, Replay)


def _collapsed(decision: DecisionT) -> DecisionT:
    told = render_collapsed(decision.cache.cache_status, used=isinstance(decision, Replay))
    return replace(decision, cache=replace(decision.cache, cache_status=told))


def _explain(
    parsed: ParsedRequest, cached: CacheResult, route: Route | None, signals_read: SignalReadings
) -> Explanation:
    notes = (signals_read.note, cached.note)
    return Explanation(
        parsed.request.dialect,
        route,
        tuple(signals_read.readings.values()),
        cached.outcome.status,
        cached.reason,
        cached.candidates,
        tuple(note for note in notes if note is not None),
    )
