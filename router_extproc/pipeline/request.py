"""The request pipeline: from a request body to a decision.

An exact hit is found before any inference. A stage that fails costs the request nothing but that stage,
unless a decision says that what was not read, or not redacted, must not leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from router_extproc.cache.http_caching import render_collapsed
from router_extproc.clock import Budget, Clock
from router_extproc.errors import (
    RequestError,
    RouterUnavailable,
)
from router_extproc.pipeline.asked_usage import asked_models, usage_edits
from router_extproc.pipeline.bodies import BodyReader, retry_after
from router_extproc.pipeline.body_edits import described
from router_extproc.pipeline.caching.question import CacheQuestion
from router_extproc.pipeline.caching.result import OFF, CacheResult, unusable
from router_extproc.pipeline.caching.stage import CacheStage
from router_extproc.pipeline.considered import UNKNOWN, Considered, explain
from router_extproc.pipeline.decision import Decision, Forward, Reject, Replay
from router_extproc.pipeline.evaluation.sampling import EvaluationSampling
from router_extproc.pipeline.failover.plan import FailoverPlan
from router_extproc.pipeline.failover.planning import FailoverPlanner, Written
from router_extproc.pipeline.local_replies import local_reply, reject_miss
from router_extproc.pipeline.parsed_request import ParsedRequest, RawRequest, RequestParser
from router_extproc.pipeline.redaction import refusal_of, run_redaction
from router_extproc.pipeline.replays import Replays
from router_extproc.pipeline.sessions import NO_SESSIONS, UNFOLLOWED, SessionKeeper
from router_extproc.pipeline.shadow_policy import ShadowDecisions
from router_extproc.pipeline.signal_stage import SignalReadings, SignalStage
from router_extproc.pipeline.tenants import Tenants, tenant_of
from router_extproc.pipeline.token import EvaluationAsk, Failover, WriteToken
from router_extproc.pipeline.token_counts import TokenCounts, estimated
from router_extproc.pipeline.upstream import edits_of
from router_extproc.protocol.names import DECISION_HEADER
from router_extproc.redaction.request import Redacted
from router_extproc.routing.accepts import Demands
from router_extproc.routing.actions import Redaction
from router_extproc.routing.catalogue import Target
from router_extproc.routing.failover import NO_FAILOVERS, Failovers
from router_extproc.routing.policy import Policy
from router_extproc.routing.route import LocalReply, Route
from router_extproc.routing.traffic import ALL_UP, Traffic


@dataclass(frozen=True, slots=True)
class RequestPipeline:
    """Decides requests; every part is handed in."""

    clock: Clock
    reader: RequestParser
    policy: Policy
    signal_stage: SignalStage
    #: None: the cache is off.
    cache_stage: CacheStage | None
    #: For all stages of one request together, in seconds.
    budget_s: float
    replays: Replays
    bodies: BodyReader
    token_counts: TokenCounts
    #: None: no model has a fallback.
    traffic: Traffic | None = None
    #: Decides each request a second time, behind it; None: no shadow policy does.
    second: ShadowDecisions | None = None
    #: Its decisions say what they change in a body; nobody but who explains a request asks.
    explains: bool = False
    #: Who may be asked after the chosen model.
    failovers: Failovers = NO_FAILOVERS
    #: None: costs are not told by tenant.
    tenants: Tenants | None = None
    sessions: SessionKeeper = NO_SESSIONS
    #: Says which requests another model gets, too; None: no such are.
    evaluations: EvaluationSampling | None = None

    def read_only(self) -> RequestPipeline:
        """The same pipeline, whose decisions change neither cache nor sessions: to explain a request."""
        stage = None if self.cache_stage is None else self.cache_stage.read_only()
        sessions = self.sessions.read_only()
        return replace(
            self, cache_stage=stage, second=None, explains=True, sessions=sessions, evaluations=None
        )

    async def decide(self, raw: RawRequest) -> Decision:
        """The decision on one request; never raises on what a client sent."""
        try:
            parsed = await self.bodies.read(raw, self.reader, self.clock, self.budget_s)
        except RequestError as error:
            return Reject(error, raw.dialect.render_error(error), retry_after(error))
        try:
            return self._replay_near(parsed) or await self._decide(parsed)
        except RouterUnavailable as unread:
            refusal = refusal_of(parsed.request, unread)
            return Reject(refusal, raw.dialect.render_error(refusal), retry_after(refusal))

    async def look_again(self, forward: Forward) -> Forward | Replay:
        """The decision on a request that has waited for the answer to an equal one."""
        question = forward.coalescing
        if question is not None and self.cache_stage is not None:
            budget = Budget.of(self.clock, self.budget_s)
            result = await self.cache_stage.exact(question.within(budget))
            if result is not None and result.hit is not None:
                considered = Considered(question.parsed, forward.route, question, result)
                replay = self.replays.replay(considered, result.hit)
                if isinstance(replay, Replay):
                    return _collapsed(replay)
        token = replace(forward.write_token, started_s=self.clock.wall_s())
        return _collapsed(replace(forward, write_token=token))

    def _replay_near(self, parsed: ParsedRequest) -> Replay | None:
        result = None if self.cache_stage is None else self.cache_stage.exact_near(parsed)
        if result is None or result.hit is None:
            return None
        replay = self.replays.replay(Considered(parsed, None, None, result), result.hit)
        return replay if isinstance(replay, Replay) else None

    async def _decide(self, parsed: ParsedRequest) -> Decision:
        readings = await self._read_signals(parsed)
        route = self._route(parsed, readings, await self.demands(parsed))
        if self.second is not None and parsed.pinned is None:
            self.second.offer(parsed, readings, route)
        if isinstance(route, LocalReply):
            return local_reply(Considered(parsed, route, None, OFF, readings), route, self.clock.wall_s())
        considered, replay = await self._from_cache(parsed, route, readings)
        if replay is None and route.fallback is not None:
            # An answer of the model itself comes first; then one of its fallback.
            feedback, route = considered.result.feedback, route.to_fallback()
            considered, replay = await self._from_cache(parsed, route, readings)
            result = replace(considered.result, feedback=considered.result.feedback or feedback)
            considered = replace(considered, result=result)
        if replay is not None:
            return replay
        if parsed.directives.only_if_cached:
            return reject_miss(considered)
        if route.redaction is None:
            return self._forward(considered, route)
        return await self._redact(considered, route, route.redaction)

    async def _redact(self, considered: Considered, route: Route, rule: Redaction) -> Forward | Reject:
        """The forwarded request without what its decision redacts; what cannot be redacted does not leave."""
        redacted, note = await run_redaction(considered.parsed, rule)
        explanation = explain(considered)
        explanation = replace(explanation, stages=(*explanation.stages, note))
        if isinstance(redacted, RequestError):
            rendered = considered.parsed.raw.dialect.render_error(redacted)
            headers = {DECISION_HEADER: route.decision, **retry_after(redacted)}
            return Reject(redacted, rendered, headers, explanation)
        forward = self._forward(considered, route, redacted)
        return replace(forward, explanation=replace(explanation, redacted=redacted.parts))

    async def _from_cache(
        self, parsed: ParsedRequest, route: Route, readings: SignalReadings
    ) -> tuple[Considered, Replay | None]:
        """What the cache has under this route, and the replay of it, if it is a hit."""
        stage = self.cache_stage
        question = None if stage is None else stage.question(parsed, route, readings.encoding)
        if stage is None or question is None:
            return Considered(parsed, route, None, OFF, readings), None
        if isinstance(question, CacheResult):
            return Considered(parsed, route, None, question, readings), None
        result = await stage.find(question)
        considered = Considered(parsed, route, question, result, readings)
        if result.hit is None:
            return considered, None
        replay = self.replays.replay(considered, result.hit)
        if isinstance(replay, Replay):
            return considered, replay
        return replace(considered, result=unusable(result, replay)), None

    async def _read_signals(self, parsed: ParsedRequest) -> SignalReadings:
        encode = self.cache_stage is not None and self.cache_stage.needs_encoding(parsed)
        only = None if parsed.pinned is None else self.policy.pinned_signals
        if only is not None and not only and not encode:
            return UNKNOWN
        return await self.signal_stage.read(parsed.subject, parsed.budget, encode=encode, only=only)

    async def demands(self, parsed: ParsedRequest) -> Demands:
        """What the model that answers must accept, and for how many tokens it must have room."""
        return await self.token_counts.demands(parsed.request, self.policy, parsed.budget)

    def _route(self, parsed: ParsedRequest, readings: SignalReadings, demands: Demands) -> Route | LocalReply:
        traffic = ALL_UP if self.traffic is None or parsed.request.by_name else self.traffic.snapshot()
        if parsed.pinned is not None:
            return self.policy.decide_pinned(
                parsed.pinned,
                readings.readings,
                traffic,
                unread=readings.unread,
                demands=demands,
                named=parsed.names_model,
            )
        going = self.sessions.find(parsed) if self.policy.choices else UNFOLLOWED
        taken = self.policy.decide(
            readings.readings,
            traffic,
            unread=readings.unread,
            demands=demands,
            conversation=going.conversation,
            session=going.session,
            outcomes=self.sessions.outcomes,
        )
        self.sessions.note(going, taken, demands.tokens)
        return taken

    def _forward(self, considered: Considered, route: Route, redacted: Redacted | None = None) -> Forward:
        parsed, question, result = considered.parsed, considered.question, considered.result
        target = route.target
        edits = (*edits_of(parsed.raw.dialect, parsed.request, route), *usage_edits(parsed, target))
        # First of all: redaction knows its places in the client's own body. It changes texts and nothing of
        # their order, so the places of the edits stay.
        before = parsed.raw.body if redacted is None else redacted.body
        body = parsed.raw.dialect.edit(before, edits)
        failover = self._plan_failover(Written(parsed, route, question, before, body))
        plan = None if question is None else question.store_plan
        now_s, exchange = self.clock.wall_s(), parsed.raw.exchange
        token = WriteToken(
            parsed.request.dialect,
            target.model,
            route.decision,
            now_s,
            exchange,
            plan,
            result.shadow,
            None if failover is None else Failover(failover.chain),
            self._sample(parsed, route),
            tenant_of(self.tenants, parsed.headers),
            self.sessions.key_of(parsed) if route.choice is not None and route.choice.move else "",
        )
        return Forward(
            route,
            None if body == parsed.raw.body and not parsed.raw.coding else body,
            replace(result.outcome, hidden=True) if self._hides(route) else result.outcome,
            token,
            explain(considered),
            coalescing=_coalescing(considered),
            feedback=result.feedback,
            edits=described(edits, parsed.request.body) if self.explains else (),
            redacted=redacted,
            decoded=bool(parsed.raw.coding),
            failover=failover,
            usage_asked=asked_models(parsed, self.reader.catalogue, _asked_models(target, failover)),
        )

    def _sample(self, parsed: ParsedRequest, route: Route) -> EvaluationAsk | None:
        """The request as another model gets it, too, once it is answered."""
        if self.evaluations is None:
            return None
        ask = self.evaluations.sample(parsed, route, estimated(parsed.request, self.policy))
        if ask is None or route.decision not in self.policy.learning:
            return ask
        return replace(ask, basis=self.sessions.basis(parsed, route.choice, ask.model))

    def _plan_failover(self, written: Written) -> FailoverPlan | None:
        if not self.failovers.orders or written.parsed.request.by_name:
            return None
        planner = FailoverPlanner(self.failovers, self.cache_stage)
        return planner.plan(written, estimated(written.parsed.request, self.policy))

    def _hides(self, route: Route) -> bool:
        policy = self.reader.cache_policies.of(route.decision)
        return policy is not None and policy.hide_timing


def _asked_models(target: Target, failover: FailoverPlan | None) -> Iterator[str]:
    """Who may answer."""
    yield target.model
    yield from () if failover is None else failover.models


def _coalescing(considered: Considered) -> CacheQuestion | None:
    """What equal requests that miss as well may wait for; None: each is forwarded."""
    question = considered.question
    missed = considered.result.outcome.status == "miss"
    return question if missed and question is not None and question.may_coalesce else None


DecisionT = TypeVar("DecisionT", Forward, Replay)


def _collapsed(decision: DecisionT) -> DecisionT:
    header = render_collapsed(decision.cache.cache_status, used=isinstance(decision, Replay))
    return replace(decision, cache=replace(decision.cache, cache_status=header))
