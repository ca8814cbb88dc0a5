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
from router_extproc.pipeline.caching.stage import OFF, Recall, Recalled
from router_extproc.pipeline.decision import Decision, Explanation, Forward, Reject, Replay
from router_extproc.pipeline.parsed_request import Incoming, Inquiry, InquiryReader
from router_extproc.pipeline.signal_stage import Understander, Understanding
from router_extproc.pipeline.token import WriteToken
from router_extproc.protocol.names import CACHE_HEADER, CACHE_STATUS_HEADER
from router_extproc.routing.policy import Policy, Route
from router_extproc.routing.reasoning import reasoning_members
from router_extproc.routing.traffic import Traffic

UNKNOWN = Understanding({}, None, None)


@dataclass(frozen=True, slots=True)
class RequestPipeline:
    """Decides requests; every part is handed in by `app.build`."""

    clock: Clock
    reader: InquiryReader
    policy: Policy
    understander: Understander
    #: None: the cache is off.
    recall: Recall | None
    #: For all stages of one request together, in seconds.
    budget_s: float
    prices: Prices
    #: None: no model has a fallback.
    traffic: Traffic | None = None

    async def decide(self, incoming: Incoming) -> Decision:
        """The decision on one request; never raises on what a client sent."""
        try:
            inquiry = self.reader.read(incoming, Budget.of(self.clock, self.budget_s))
        except RequestError as error:
            return Reject(error, incoming.dialect.render_error(error))
        try:
            return self._replay_near(inquiry) or await self._decide(inquiry)
        except RouterUnavailable as error:
            headers = {"retry-after": str(RETRY_AFTER_S)}
            return Reject(error, incoming.dialect.render_error(error), headers)

    async def look_again(self, incoming: Incoming, forward: Forward) -> Forward | Replay:
        """The decision on a request that has waited for the answer to an equal one."""
        inquiry = self.reader.read(incoming, Budget.of(self.clock, self.budget_s))
        recalled = None if self.recall is None else await self.recall.exact(inquiry, forward.route)
        replay = None
        if recalled is not None:
            replay = self._replay(inquiry, recalled, forward.route, UNKNOWN)
        return self._later(forward) if replay is None else _collapsed(replay)

    def _later(self, forward: Forward) -> Forward:
        """The same, forwarded now."""
        token = forward.write_token
        if token is not None:
            token = replace(WriteToken.decode(token), started_s=self.clock.wall_s()).encode()
        return _collapsed(replace(forward, write_token=token))

    def _replay_near(self, inquiry: Inquiry) -> Replay | None:
        recalled = None if self.recall is None else self.recall.exact_near(inquiry)
        return None if recalled is None else self._replay(inquiry, recalled, None, UNKNOWN)

    async def _decide(self, inquiry: Inquiry) -> Decision:
        understanding = await self._understand(inquiry)
        route = self._route(inquiry, understanding)
        recalled = await self._recalled(inquiry, route, understanding)
        replay = self._replay(inquiry, recalled, route, understanding)
        sent = route if self.traffic is None else self.traffic.route(route)
        if replay is None and sent.fallback_of is not None:
            # What the model itself has answered goes first; then what its fallback has.
            complaint, route = recalled.complaint, sent
            recalled = await self._recalled(inquiry, route, understanding)
            recalled = replace(recalled, complaint=recalled.complaint or complaint)
            replay = self._replay(inquiry, recalled, route, understanding)
        if replay is not None:
            return replay
        if inquiry.directives.only_if_cached:
            return self._reject_miss(inquiry, recalled)
        return self._forward(inquiry, recalled, route, understanding)

    async def _recalled(self, inquiry: Inquiry, route: Route, understanding: Understanding) -> Recalled:
        if self.recall is None:
            return OFF
        return await self.recall.find(inquiry, route, understanding.encoding)

    async def _understand(self, inquiry: Inquiry) -> Understanding:
        if inquiry.pinned is None:
            return await self.understander.understand(
                inquiry.request, inquiry.headers, inquiry.budget, encode=self.recall is not None
            )
        if self.recall is None:
            return UNKNOWN
        return await self.understander.encode_only(inquiry.request, inquiry.budget)

    def _route(self, inquiry: Inquiry, understanding: Understanding) -> Route:
        if inquiry.pinned is not None:
            return self.policy.pin(inquiry.pinned)
        return self.policy.decide(understanding.readings, understanding.unread)

    def _replay(
        self, inquiry: Inquiry, recalled: Recalled, route: Route | None, understanding: Understanding
    ) -> Replay | None:
        if recalled.hit is None:
            return None
        entry = recalled.hit.entry
        try:
            answer = decode_answer(entry.answer)
        except ValueError:
            # Written by another version, or damaged at rest: as good as not there.
            return None
        if recalled.outcome.hidden:
            answer = _as_new(answer, now_s=self.clock.wall_s())
        rendered = inquiry.incoming.dialect.render(answer, inquiry.request)
        explanation = _explain(inquiry, recalled, route, understanding)
        worth = self.prices.worth(entry.model, answer.usage)
        saved = EntryWorth(entry.fingerprint, entry.model, entry.decision, worth)
        return Replay(rendered, recalled.outcome, entry.model, entry.decision, explanation, saved)

    def _reject_miss(self, inquiry: Inquiry, recalled: Recalled) -> Reject:
        error = CacheOnlyMiss("Nothing stored answers this request, and only-if-cached was asked.")
        headers = {CACHE_HEADER: recalled.outcome.status, CACHE_STATUS_HEADER: recalled.outcome.cache_status}
        return Reject(error, inquiry.incoming.dialect.render_error(error), headers)

    def _forward(
        self, inquiry: Inquiry, recalled: Recalled, route: Route, understanding: Understanding
    ) -> Forward:
        target = route.target
        members = reasoning_members(target.reasoning_family, route.reasoning)
        body = inquiry.incoming.dialect.edit(inquiry.incoming.body, BodyEdit(target.served_name, members))
        plan = None if self.recall is None else self.recall.plan(inquiry, route, understanding.encoding)
        now_s = self.clock.wall_s()
        dialect = inquiry.request.dialect
        ids = inquiry.incoming.ids
        token = WriteToken(dialect, target.model, route.decision, now_s, plan, recalled.trial, ids)
        explanation = _explain(inquiry, recalled, route, understanding)
        unchanged = body == inquiry.incoming.body
        key = plan.fingerprint if plan is not None and recalled.outcome.status == "miss" else None
        sent = None if unchanged else body
        outcome = replace(recalled.outcome, hidden=route.cache.hide_timing)
        return Forward(route, sent, outcome, token.encode(), explanation, key, recalled.complaint)


def _as_new(answer: Answer, *, now_s: float) -> Answer:
    """The same answer as if it were made now: its own name and date tell that it is an old one."""
    kind, separator, _ = answer.id.partition("-")
    return replace(answer, id=f"{kind if separator else 'answer'}-{uuid4().hex}", created_s=int(now_s))


DecisionT = TypeVar("DecisionT", Forward, Replay)


def _collapsed(decision: DecisionT) -> DecisionT:
    told = render_collapsed(decision.cache.cache_status, used=isinstance(decision, Replay))
    return replace(decision, cache=replace(decision.cache, cache_status=told))


def _explain(
    inquiry: Inquiry, recalled: Recalled, route: Route | None, understanding: Understanding
) -> Explanation:
    notes = (understanding.note, recalled.note)
    return Explanation(
        inquiry.request.dialect,
        route,
        tuple(understanding.readings.values()),
        recalled.outcome.status,
        recalled.reason,
        recalled.candidates,
        tuple(note for note in notes if note is not None),
    )
