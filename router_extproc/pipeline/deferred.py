"""Replies that wait: hits that must take as long as a miss, and requests that wait for an equal one's answer.

Envoy is asked for the time beforehand, and every wait has a limit. A decision is carried out when its wait is
over, and never when Envoy closes the stream before that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from router_extproc.clock import Clock
from router_extproc.pipeline.caching.coalescing import Coalescer, Follower, Leader
from router_extproc.pipeline.caching.hit_timing import HitTiming
from router_extproc.pipeline.decision import Decision, Forward, Replay
from router_extproc.pipeline.report import DecisionReport
from router_extproc.pipeline.request import RequestPipeline
from router_extproc.protocol.driver import DeferredReply
from router_extproc.protocol.messages import MORE_TIME_MIN_S, BodyReply, ImmediateResponse, MoreTime

#: Carries the reported decision out, once, and returns the reply.
CarryOut: TypeAlias = Callable[[DecisionReport], BodyReply | ImmediateResponse]


@dataclass(frozen=True, slots=True)
class Waits:
    """How this process waits, and how it asks Envoy to."""

    clock: Clock
    #: What Envoy's filter allows for a reply that does not wait, in seconds.
    message_timeout_s: float
    #: Waits; tests hand in their own.
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    def more_time(self, wait_s: float) -> MoreTime:
        """Asks Envoy for the wait, and as much time for the reply after it as for any other."""
        return MoreTime(wait_s + self.message_timeout_s)


@dataclass(frozen=True, slots=True)
class HiddenHits:
    """Delays hits of decisions that hide them, so that their time says nothing."""

    #: None: no decision hides its hits.
    hit_timing: HitTiming | None
    waits: Waits

    def delay_s(self, decision: Decision, spent_s: float) -> float:
        """How much longer the decision must take; 0 for all but hidden hits."""
        if self.hit_timing is None or not isinstance(decision, Replay) or not decision.cache.hidden:
            return 0.0
        streamed = "event-stream" in decision.rendered.content_type
        return self.hit_timing.delay_s(decision.model, spent_s, streamed=streamed)

    def defer(self, report: DecisionReport, carry_out: CarryOut) -> DeferredReply | None:
        """The reply after its delay; None: it needs none."""
        delay_s = self.delay_s(report.decision, report.duration_s)
        if delay_s < MORE_TIME_MIN_S:
            return None

        async def then() -> BodyReply | ImmediateResponse:
            await self.waits.pause(delay_s)
            return carry_out(report)

        return DeferredReply(self.waits.more_time(delay_s), then)

    def after(
        self, read_s: float, decide: Callable[[], Awaitable[DecisionReport]], carry_out: CarryOut
    ) -> DeferredReply:
        """The reply to a request that takes long to read: Envoy is asked once, for all that it may take."""

        async def then() -> BodyReply | ImmediateResponse:
            report = await decide()
            await self.waits.pause(self.delay_s(report.decision, report.duration_s))
            return carry_out(report)

        return DeferredReply(MoreTime(self.time_s(read_s)), then)

    def time_s(self, read_s: float) -> float:
        """What such a request may take in all."""
        longest_s = 0.0 if self.hit_timing is None else self.hit_timing.max_s
        return read_s + longest_s + self.waits.message_timeout_s


@dataclass(frozen=True, slots=True)
class Coalescing:
    """Lets equal requests that miss at the same time wait for the answer to the first of them."""

    coalescer: Coalescer
    pipeline: RequestPipeline
    hidden: HiddenHits

    def join(self, report: DecisionReport) -> Leader | Follower | None:
        """The request's place among its equals; None: it is not to wait, and nobody waits for it."""
        decision, clock = report.decision, self.hidden.waits.clock
        if not isinstance(decision, Forward) or decision.coalescing is None:
            return None
        question, asked_s = decision.coalescing, clock.monotonic_s() - report.duration_s
        streamed = question.parsed.request.stream
        return self.coalescer.join(question.key.fingerprint, asked_s=asked_s, streamed=streamed)

    def lead(self, leader: Leader, reply: BodyReply | ImmediateResponse) -> DeferredReply:
        """The leader's reply at once; its stream stays open until its answer was seen.

        Envoy closes the stream with the exchange: that alone says that the client has gone.
        """
        if isinstance(reply, ImmediateResponse):
            raise TypeError("only what is forwarded can be waited for")
        return DeferredReply(reply, lambda: self.coalescer.watch(leader))

    def follow(self, follower: Follower, report: DecisionReport, carry_out: CarryOut) -> DeferredReply:
        """The reply when the leader's answer is there, or when the time is up."""

        async def then() -> BodyReply | ImmediateResponse:
            decision = await self._after(follower, report)
            return carry_out(replace(report, decision=decision, waited=True))

        return DeferredReply(self.hidden.waits.more_time(follower.left_s), then)

    async def _after(self, follower: Follower, report: DecisionReport) -> Decision:
        waits, decision = self.hidden.waits, report.decision
        began_s = waits.clock.monotonic_s()
        await self.coalescer.follow(follower)
        if isinstance(decision, Forward):
            decision = await self.pipeline.look_again(decision)
        waited_s = waits.clock.monotonic_s() - began_s
        delay_s = self.hidden.delay_s(decision, report.duration_s + waited_s)
        await waits.pause(min(delay_s, max(0.0, follower.left_s - waited_s)))
        return decision
