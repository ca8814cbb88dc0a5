"""Builds the application: the only module that names concrete adapters.

It is not a server; `cli.serve` puts one around what is built here. The rule it keeps: everything is
opened in the order of the data and closed in the opposite one, also when a later part cannot open.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from router_extproc.cache.false_hits.compare import AnswerComparison
from router_extproc.cache.false_hits.evidence import Evidence
from router_extproc.cache.health import BackendListener
from router_extproc.cache.milvus.settings import Milvus
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.cache.verify import GuardVerifier
from router_extproc.clock import Clock, SystemClock
from router_extproc.config import model as section
from router_extproc.config.encoder import Encoder as EncoderSection
from router_extproc.config.limits import Limits
from router_extproc.config.translate import (
    catalogue_of,
    policy_of,
    prices_of,
    routing_headers_of,
    scope_rules_of,
    traffic_of,
)
from router_extproc.dialects import DIALECTS, find_dialect
from router_extproc.models.base import Encoder, Inference, ResultT, Verifier
from router_extproc.models.onnx.classifiers import EncoderClassifiers
from router_extproc.models.onnx.executor import InferenceExecutor
from router_extproc.models.onnx.open import find_pulled, open_encoder
from router_extproc.models.onnx.session import Engine
from router_extproc.models.onnx.verifier_open import open_verifier
from router_extproc.pipeline.background import BackgroundTasks
from router_extproc.pipeline.caching.coalescing import Coalescer
from router_extproc.pipeline.caching.hit_timing import HitTiming
from router_extproc.pipeline.caching.savings import Savings
from router_extproc.pipeline.caching.shadow import ShadowComparisons
from router_extproc.pipeline.caching.stage import CacheStage, ShadowSampling
from router_extproc.pipeline.caching.warming import Warmer
from router_extproc.pipeline.decision import Decision
from router_extproc.pipeline.exchange import ExchangeParts, RoutedExchange
from router_extproc.pipeline.observer import AnswerObserver
from router_extproc.pipeline.parsed_request import RawRequest, RequestParser
from router_extproc.pipeline.report import Listener
from router_extproc.pipeline.request import RequestPipeline
from router_extproc.pipeline.signal_stage import SignalStage
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.modes import Role
from router_extproc.routing.traffic import Traffic

#: Prompts that may wait for the encoder. At 2 to 5 ms each, more would wait past their stage's budget
#: in vain; refused at once, a request still goes to the default model with a correct body.
INFERENCES_WAITING_MAX = 16
#: Questions with known answers are chat completions.
WARM_DIALECT = "openai_chat"
#: For one of them: no client waits.
WARM_S = 10.0


@dataclass(frozen=True, slots=True)
class Application:
    """A router that is ready to be served."""

    parts: ExchangeParts
    #: None: the configuration needs none.
    encoder: Encoder | None
    #: None: the cache is off.
    cache: SemanticCache | None
    #: None: the cache is off.
    warmer: Warmer | None
    savings: Savings
    evidence: Evidence
    background: BackgroundTasks
    traffic: Traffic

    def drive(self, role: Role) -> RoutedExchange:
        """A driver for a new stream."""
        return self.parts.drive(role)

    async def explain(self, method: str, path: str, headers: Headers, body: bytes) -> Decision | None:
        """What would be decided; None: no dialect knows this method and path.

        Looks into the cache, stores nothing and reports nothing.
        """
        dialect = self.parts.find_dialect(method, path)
        if dialect is None:
            return None
        return await self.parts.pipeline.decide(RawRequest(dialect, headers, body))


@asynccontextmanager
async def build(
    config: section.Config,
    listener: Listener,
    *,
    clock: Clock | None = None,
    backend_listener: BackendListener | None = None,
) -> AsyncIterator[Application]:
    """The application of a checked configuration, open inside the block.

    backend_listener: is told when the cache's backend is lost, and when it is back.

    Raises:
        ConfigError: a model is missing, damaged or does not fit; Milvus is no reason: it may come later.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        encoder = _open_encoder(config)
        inference = stack.enter_context(InferenceExecutor(max_waiting=INFERENCES_WAITING_MAX))
        classifiers = EncoderClassifiers(encoder)
        signals = [signal.open(name, classifiers) for name, signal in config.signals.items()]

        def signal_stage(limits: Limits) -> SignalStage:
            return SignalStage(
                signals=signals,
                encoder=encoder,
                inference=inference,
                timeout_s=limits.signals_timeout_s,
            )

        cache = None
        if config.semantic_cache.enabled and encoder is not None:
            opening = _Opening(clock, stack, backend_listener)
            cache = await _open_cache(config, encoder, inference, opening)
        evidence, background = _evidence(config), await stack.enter_async_context(BackgroundTasks(clock))
        shadow = cache_stage = None
        if cache is not None and encoder is not None:
            shadow = ShadowComparisons(cache, evidence, background, AnswerComparison(encoder), inference)
            cache_stage = _cache_stage(config, cache, clock, encoder, evidence)
        traffic = traffic_of(config, clock)
        pipeline = _pipeline(config, clock, signal_stage(config.limits), cache_stage)
        pipeline = replace(pipeline, traffic=traffic)
        patient = _patient(config)
        if cache_stage is not None:
            cache_stage = replace(cache_stage, timeout_s=patient.limits.cache_timeout_s)
        warming = _pipeline(patient, clock, signal_stage(patient.limits), cache_stage)
        largest = config.semantic_cache.max_answer_bytes
        observer = AnswerObserver(
            DIALECTS, cache, listener, clock, largest, shadow, _hit_timing(config), traffic
        )
        warmer = None if cache is None else Warmer(warming, DIALECTS[WARM_DIALECT], clock, largest)
        savings, coalescer = Savings(), None if cache is None else _coalescer(config, clock)
        parts = ExchangeParts(
            pipeline,
            observer,
            find_dialect,
            listener,
            clock,
            savings,
            coalescer,
            config.limits.message_timeout_s,
        )
        yield Application(parts, encoder, cache, warmer, savings, evidence, background, traffic)


# ── understanding ─────────────────────────────────────────────────────────────────────────────


def _open_encoder(config: section.Config) -> Encoder | None:
    by_meaning = any(signal.needs_encoder for signal in config.signals.values())
    if not by_meaning and not config.semantic_cache.enabled:
        return None
    wanted = config.encoder
    return open_encoder(
        _encoder_folder(wanted),
        pooling=wanted.pooling,
        max_tokens=wanted.max_tokens,
        prefix=wanted.prefix,
        engine=Engine(wanted.threads, wanted.providers),
    )


def _encoder_folder(wanted: EncoderSection) -> Path | None:
    """None: the built-in one."""
    if wanted.repo is not None:
        return find_pulled(wanted.repo, wanted.revision, where="encoder")
    return None if wanted.path is None else Path(wanted.path)


# ── cache ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Opening:
    """What everything that is opened needs."""

    clock: Clock
    stack: AsyncExitStack
    backend_listener: BackendListener | None


async def _open_cache(
    config: section.Config, encoder: Encoder, inference: Inference, opening: _Opening
) -> SemanticCache:
    wanted, verifier, clock, stack = config.semantic_cache, _verifier(config), opening.clock, opening.stack
    judging = _Judging(inference, config.limits.cache_timeout_s)
    if wanted.backend_type == "memory":
        near = _near_tier(wanted, clock, max_entries=wanted.max_entries)
        return await stack.enter_async_context(SemanticCache(clock, near, verifier, run_blocking=judging))
    near = _near_tier(wanted, clock, max_entries=wanted.near.max_entries)
    # pymilvus takes a second to import: only who configured it waits for it.
    from router_extproc.cache.milvus.backend import MilvusCache  # noqa: PLC0415

    settings = wanted.milvus or Milvus()
    backend = await stack.enter_async_context(
        MilvusCache(settings, dim=encoder.dim, clock=clock, listener=opening.backend_listener)
    )
    cache = SemanticCache(
        clock,
        near,
        verifier,
        backend=backend,
        source=backend,
        purge_log=backend.purge_log,
        write_feed=backend.write_feed,
        run_blocking=judging,
    )
    return await stack.enter_async_context(cache)


def _verifier(config: section.Config) -> Verifier:
    if config.semantic_cache.verifier == "guards":
        return GuardVerifier()
    # Its calibration counts on the built-in encoder's similarities.
    return open_verifier(own_encoder=config.encoder.is_built_in)


class _Judging:
    """Runs verification where the encoder runs. Fits cache.judging.RunBlocking."""

    def __init__(self, inference: Inference, timeout_s: float) -> None:
        self._inference = inference
        self._timeout_s = timeout_s

    async def __call__(self, work: Callable[[], ResultT]) -> ResultT:
        """See RunBlocking."""
        return await self._inference.run(work, timeout_s=self._timeout_s)


def _evidence(config: section.Config) -> Evidence:
    policy = policy_of(config)

    def rate_max(decision: str) -> float | None:
        own = policy.cache_policy(decision)
        return None if own is None else own.max_false_hit_rate

    return Evidence(rate_max)


def _hit_timing(config: section.Config) -> HitTiming:
    return HitTiming(max_s=config.semantic_cache.hide_timing_max_s, chance=random.random)


def _coalescer(config: section.Config, clock: Clock) -> Coalescer | None:
    wanted = config.semantic_cache.coalescing
    if not wanted.enabled:
        return None
    return Coalescer(clock, wait_s=wanted.wait_s, waiters_max=wanted.waiters_max)


def _near_tier(wanted: section.SemanticCache, clock: Clock, *, max_entries: int) -> NearTier:
    return NearTier(
        clock,
        max_entries=max_entries,
        max_bytes=wanted.near.max_bytes,
        policy=wanted.eviction_policy,
        scope_share_max=wanted.near.scope_share_max,
    )


def _patient(config: section.Config) -> section.Config:
    """The configuration with time enough for every stage, however busy the machine is."""
    times = {"message_timeout_s": WARM_S, "signals_timeout_s": WARM_S / 2, "cache_timeout_s": WARM_S / 2}
    return config.model_copy(update={"limits": config.limits.model_copy(update=times)})


# ── pipeline ──────────────────────────────────────────────────────────────────────────────────


def _cache_stage(
    config: section.Config, cache: SemanticCache, clock: Clock, encoder: Encoder, evidence: Evidence
) -> CacheStage:
    shadow_sampling = ShadowSampling(evidence, random.random, config.semantic_cache.client_feedback)
    timeout_s, scopes = config.limits.cache_timeout_s, scope_rules_of(config)
    return CacheStage(cache, policy_of(config), clock, timeout_s, encoder.identity, scopes, shadow_sampling)


def _pipeline(
    config: section.Config,
    clock: Clock,
    signal_stage: SignalStage,
    cache_stage: CacheStage | None,
) -> RequestPipeline:
    limits, policy, scopes = config.limits, policy_of(config), scope_rules_of(config)
    reader = RequestParser(catalogue_of(config), scopes, routing_headers_of(config))
    budget_s = limits.message_timeout_s - limits.margin_s
    return RequestPipeline(clock, reader, policy, signal_stage, cache_stage, budget_s, prices_of(config))
