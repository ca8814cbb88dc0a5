"""A whole router without I/O, for tests of what a client would see: the real parts on fakes.

No files, no models, no server. Time stands still until the clock is moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from router_extproc.app.application import Application, CurrentRouter
from router_extproc.app.assemble import Surroundings, assemble, nobody_hears
from router_extproc.app.learned import nothing_learned
from router_extproc.app.resources import Resources
from router_extproc.cache.base import CacheBackend, EntrySource
from router_extproc.cache.decision_policy import CachePolicies, CachePolicy
from router_extproc.cache.false_hits.evidence import Evidence
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.config.router_policy import CacheSettings, CoalescingLimits, RouterPolicy, StageLimits
from router_extproc.dialects.path_forms import PLAIN_ONLY, PathForms
from router_extproc.equivalence.languages import ENGLISH_ONLY, Languages
from router_extproc.llm.changes import ReasoningChange, RequestChanges
from router_extproc.llm.price import Price
from router_extproc.models.base import Encoder, ResultT, Verdict, Verifier
from router_extproc.pipeline.background import BackgroundTasks
from router_extproc.pipeline.baseline import Baseline
from router_extproc.pipeline.caching.coalescing import GRACE_S, PENDING_MAX, Coalescer
from router_extproc.pipeline.caching.reuse import REUSE_ALL, ReuseSettings
from router_extproc.pipeline.caching.savings import Prices, Savings
from router_extproc.pipeline.caching.warming import Warmer
from router_extproc.pipeline.evaluation.asking import AskPool, ask_nobody
from router_extproc.pipeline.evaluation.outcomes import Evaluated
from router_extproc.pipeline.evaluation.rules import NO_EVALUATION, EvaluationRules
from router_extproc.pipeline.exchange import ExchangeParts
from router_extproc.pipeline.old_headers import OldHeaders
from router_extproc.pipeline.report import AnswerReport, DecisionReport
from router_extproc.pipeline.saved_header import SavedHeader
from router_extproc.pipeline.tenants import Tenants
from router_extproc.routing.catalogue import Catalogue, Target
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.failover import NO_FAILOVERS, Failovers
from router_extproc.routing.fallback import Fallbacks
from router_extproc.routing.policy import Policy
from router_extproc.routing.rules import Rule
from router_extproc.routing.selection.base import Candidate
from router_extproc.routing.traffic import Traffic
from router_extproc.signals.base import Signal, SignalSettings
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.fake_encoder import FakeEncoder

SMALL = Target("small", "vllm_small", "tiny-small", None)
LARGE = Target("large", "vllm_large", "tiny-large", "qwen3")
TARGETS = {target.model: target for target in (SMALL, LARGE)}
#: Of requests that wait for the answer to an equal one.
WAIT_S = 5.0
WAITERS_MAX = 10
#: For which a hit is held back at most.
HOLD_MAX_S = 2.0
SEMANTIC = CachePolicy("semantic", 0.8, 3600, store_tool_calls=False)


def send_to(target: Target, *, name: str, rule: Rule, reasoning: bool | None = None) -> RoutingDecision:
    """A decision with one candidate."""
    changes = None if reasoning is None else RequestChanges(reasoning=ReasoningChange(reasoning))
    return RoutingDecision(name, 1, rule, (Candidate(target),), changes)


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

    def others_wait(self) -> bool:
        """See models.base.Inference: a job runs where it is asked for."""
        return False


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
    #: None: the cache is off.
    warmer: Warmer | None
    cache: SemanticCache
    clock: ManualClock
    reports: Reports
    savings: Savings
    evidence: Evidence
    background: BackgroundTasks
    traffic: Traffic
    #: All of it, with a router that may be swapped; `parts` are those of the first.
    application: Application

    def swapped(self, policy: RouterPolicy) -> FakeRouter:
        """The same router as it works by another policy; exchanges that have begun know nothing of it."""
        own = self.application
        self.application.swap(assemble(own.resources, policy, own.learned, own.surroundings))
        return replace(self, parts=own.current.router.parts, warmer=own.warmer)


def fake_router(
    *,
    signals: Sequence[Signal] = (),
    decisions: Sequence[RoutingDecision] = (),
    cache_policy: CachePolicy = SEMANTIC,
    own_cache_policies: Mapping[str, CachePolicy] = MappingProxyType({}),
    cached: bool = True,
    encoder: Encoder | None = None,
    verifier: Verifier | None = None,
    languages: Languages = ENGLISH_ONLY,
    signal_settings: Mapping[str, SignalSettings] = MappingProxyType({}),
    clock: ManualClock | None = None,
    backend: CacheBackend | None = None,
    source: EntrySource | None = None,
    chance: Callable[[], float] = lambda: 0.5,
    feedback: Literal["own", "all", "off"] = "own",
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    wait_s: float = WAIT_S,
    pending_max: int = PENDING_MAX,
    grace_s: float = GRACE_S,
    fallbacks: Mapping[str, str] = MappingProxyType({}),
    reuse: ReuseSettings = REUSE_ALL,
    old_headers: OldHeaders | None = None,
    path_forms: PathForms = PLAIN_ONLY,
    failovers: Failovers = NO_FAILOVERS,
    baseline: Baseline | None = None,
    saved_header: SavedHeader | None = None,
    tenants: Tenants | None = None,
    evaluation: EvaluationRules = NO_EVALUATION,
    ask_pool: AskPool = ask_nobody,
    evaluated: Callable[[Evaluated], None] = nobody_hears,
    targets: tuple[Target, ...] = (SMALL, LARGE),
) -> FakeRouter:
    """A router with the models `small` (default) and `large`, and `auto` to be routed.

    targets: those models, where they are others than `SMALL` and `LARGE`.
    signals: are read. signal_settings: say which of them are part of a fingerprint.
    own_cache_policies: of decisions that have another one than `cache_policy`.
    backend: made with the same clock; it is written to while `FakeRouter.cache` is open.
    """
    clock, reports, encoder = clock or ManualClock(), Reports(), encoder or FakeEncoder()
    near = NearTier(clock, max_entries=1000, max_bytes=2**24)
    cache = SemanticCache(clock, near, verifier or AcceptingVerifier(), backend=backend, source=source)
    policies = {decision.name: cache_policy for decision in decisions}
    policy = RouterPolicy(
        Catalogue.of(("auto",), targets),
        Policy(decisions, default=targets[0], fallbacks=Fallbacks(TARGETS, fallbacks), failovers=failovers),
        signal_settings,
        CachePolicies(cache_policy, {**policies, **own_cache_policies}),
        CacheSettings(feedback, 2**20, HOLD_MAX_S, CoalescingLimits(wait_s, WAITERS_MAX), reuse),
        Prices({"small": Price(1.0, 2.0)}),
        StageLimits(0.2, 1.0, 1.0, 1.0),
        old_headers=old_headers,
        path_forms=path_forms,
        baseline=baseline,
        saved_header=saved_header,
        tenants=tenants,
        evaluation=evaluation,
    )
    background, learned = BackgroundTasks(clock), nothing_learned(policy, clock, chance)
    coalescer = Coalescer(
        clock, wait_s=wait_s, waiters_max=WAITERS_MAX, pending_max=pending_max, grace_s=grace_s
    )
    learned = replace(learned, coalescer=coalescer)
    resources = Resources(
        encoder,
        InlineInference(),
        InlineInference(),
        tuple(signals),
        cache if cached else None,
        background,
        languages,
        evaluating=background,
    )
    surroundings = Surroundings(reports, clock, chance, pause, ask_pool=ask_pool, evaluated=evaluated)
    router = assemble(resources, policy, learned, surroundings)
    return FakeRouter(
        router.parts,
        router.warmer,
        cache,
        clock,
        reports,
        learned.savings,
        learned.evidence,
        background,
        learned.traffic,
        Application(learned, surroundings, CurrentRouter(router)),
    )
