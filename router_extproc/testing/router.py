"""A whole router without I/O: the real pipeline on fakes, for tests of what a client would see.

It needs no files, no models and no server. Time stands still until the clock is moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from router_extproc.cache.base import CacheBackend
from router_extproc.cache.decision_policy import CachePolicy, ScopeRules
from router_extproc.cache.false_hits.compare import AnswerComparison
from router_extproc.cache.false_hits.evidence import Evidence
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.scope import HeaderScope
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.dialects import DIALECTS, find_dialect
from router_extproc.models.base import Encoder, ResultT, Verdict, Verifier
from router_extproc.pipeline.background import BackgroundTasks
from router_extproc.pipeline.caching.coalescing import Coalescer
from router_extproc.pipeline.caching.hit_timing import HitTiming
from router_extproc.pipeline.caching.savings import Price, Prices, Savings
from router_extproc.pipeline.caching.shadow import ShadowComparisons
from router_extproc.pipeline.caching.stage import CacheStage, ShadowSampling
from router_extproc.pipeline.exchange import ExchangeParts
from router_extproc.pipeline.observer import AnswerObserver
from router_extproc.pipeline.parsed_request import RequestParser
from router_extproc.pipeline.report import AnswerReport, DecisionReport
from router_extproc.pipeline.request import RequestPipeline
from router_extproc.pipeline.signal_stage import SignalStage
from router_extproc.routing.catalogue import Catalogue
from router_extproc.routing.policy import Policy, RoutingDecision, Target
from router_extproc.routing.traffic import Traffic
from router_extproc.signals.base import Signal
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.fake_encoder import FakeEncoder

SMALL = Target("small", "vllm_small", "tiny-small", None)
LARGE = Target("large", "vllm_large", "tiny-large", "qwen3")
#: Of requests that wait for the answer to an equal one.
WAIT_S = 5.0
WAITERS_MAX = 10
#: For which a hit is held back at most.
HOLD_MAX_S = 2.0
BY_AUTHORIZATION = ScopeRules(HeaderScope())
SEMANTIC = CachePolicy("semantic", 0.8, 3600, store_tool_calls=False)


class AcceptingVerifier:
    """Accepts every candidate: a test sees what the tiers before it let through."""

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:  # noqa: ARG002 - the port
        """See cache.verify.Verifier."""
        return Verdict(accepted=True, score=similarity, reason="ok")


class InlineInference:
    """Runs every job at once, on the spot. Fits models.base.Inference."""

    async def run(self, job: Callable[[], ResultT], *, timeout_s: float) -> ResultT:  # noqa: ARG002 - the port
        """See models.base.Inference."""
        return job()


@dataclass(slots=True)
class Reports:
    """Keeps every report. Fits pipeline.report.Listener."""

    decisions: list[DecisionReport] = field(default_factory=list)
    answers: list[AnswerReport] = field(default_factory=list)

    def decided(self, report: DecisionReport) -> None:
        """See Listener."""
        self.decisions.append(report)

    def answered(self, report: AnswerReport) -> None:
        """See Listener."""
        self.answers.append(report)


@dataclass(frozen=True, slots=True)
class FakeRouter:
    """The parts that a test may look at."""

    parts: ExchangeParts
    cache: SemanticCache
    clock: ManualClock
    reports: Reports
    savings: Savings
    evidence: Evidence
    background: BackgroundTasks
    traffic: Traffic


def fake_router(
    *,
    signals: Sequence[Signal] = (),
    decisions: Sequence[RoutingDecision] = (),
    cache_policy: CachePolicy = SEMANTIC,
    cached: bool = True,
    encoder: Encoder | None = None,
    verifier: Verifier | None = None,
    routing_headers: Sequence[str] = (),
    scopes: ScopeRules = BY_AUTHORIZATION,
    clock: ManualClock | None = None,
    backend: CacheBackend | None = None,
    chance: Callable[[], float] = lambda: 0.5,
    feedback: Literal["own", "all", "off"] = "own",
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    wait_s: float = WAIT_S,
    fallbacks: Mapping[str, str] = MappingProxyType({}),
) -> FakeRouter:
    """A router with the models `small` (default) and `large`, and `auto` to be routed.

    backend: made with the same clock; it is written to while `FakeRouter.cache` is open.
    """
    clock, reports, encoder = clock or ManualClock(), Reports(), encoder or FakeEncoder()
    near = NearTier(clock, max_entries=1000, max_bytes=2**24)
    cache = SemanticCache(clock, near, verifier or AcceptingVerifier(), backend=backend)
    policy = Policy(decisions, default=SMALL, default_cache=cache_policy)
    evidence, background = Evidence(lambda _: cache_policy.max_false_hit_rate), BackgroundTasks(clock)
    shadow_sampling = ShadowSampling(evidence, chance, feedback)
    traffic = Traffic(clock, {"small": SMALL, "large": LARGE}, fallbacks)
    pipeline = RequestPipeline(
        clock,
        RequestParser(Catalogue.of(("auto",), (SMALL, LARGE)), scopes, routing_headers),
        policy,
        SignalStage(signals=signals, encoder=encoder, inference=InlineInference(), timeout_s=1.0),
        CacheStage(cache, policy, clock, 1.0, encoder.identity, scopes, shadow_sampling) if cached else None,
        budget_s=1.0,
        prices=Prices({"small": Price(1.0, 2.0)}),
        traffic=traffic,
    )
    hit_timing = HitTiming(max_s=HOLD_MAX_S, chance=chance)
    shadow = ShadowComparisons(cache, evidence, background, AnswerComparison(encoder), InlineInference())
    observer = AnswerObserver(
        DIALECTS, cache if cached else None, reports, clock, 2**20, shadow, hit_timing, traffic
    )
    savings, coalescer = Savings(), Coalescer(clock, wait_s=wait_s, waiters_max=WAITERS_MAX)
    parts = ExchangeParts(pipeline, observer, find_dialect, reports, clock, savings, coalescer, 0.2, pause)
    return FakeRouter(parts, cache, clock, reports, savings, evidence, background, traffic)
