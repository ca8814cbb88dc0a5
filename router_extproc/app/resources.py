"""What is expensive to open: models, the cache with its backend, background tasks.

The only module that names concrete adapters. Everything is opened in the order of the data and closed in
the opposite one, also when a later part cannot be opened.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from router_extproc.cache.health import BackendListener
from router_extproc.cache.language_verifier import LanguageVerifier
from router_extproc.cache.milvus.settings import Milvus
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.cache.verify import GuardVerifier
from router_extproc.clock import Clock
from router_extproc.config import model as section
from router_extproc.config.encoder import Encoder as EncoderSection
from router_extproc.config.heads import head_files, heads_digest
from router_extproc.config.router_policy import RouterPolicy
from router_extproc.equivalence.languages import ENGLISH_ONLY, Languages, read_known
from router_extproc.models.base import Classifiers, Encoder, Inference, ResultT, TokenCounter, Verifier
from router_extproc.models.onnx.classifiers import EncoderClassifiers
from router_extproc.models.onnx.executor import InferenceExecutor
from router_extproc.models.onnx.open import find_pulled, open_encoder
from router_extproc.models.onnx.session import Engine
from router_extproc.models.onnx.verifier_open import open_verifier
from router_extproc.pipeline.background import BackgroundTasks
from router_extproc.pipeline.evaluation import evaluations
from router_extproc.pipeline.shadow_policy import WAITING_MAX
from router_extproc.signals.base import Signal, SignalSettings

#: Prompts that may wait for the encoder. At 2 to 5 ms each, more would exceed their stage's budget while
#: they wait; refused at once, a request still reaches the default model with a correct body.
INFERENCES_WAITING_MAX = 16
#: Large bodies that wait to be read; each may be as large as `limits.max_body_bytes`.
BODIES_WAITING_MAX = 32


@dataclass(frozen=True, slots=True)
class Resources:
    """What is open, and shared by all exchanges."""

    #: None: neither a signal nor the cache needs it.
    encoder: Encoder | None
    inference: Inference
    #: Reads large bodies.
    body_executor: Inference
    #: Those that some decision looks at.
    signals: tuple[Signal, ...]
    #: None: the cache is off.
    cache: SemanticCache | None
    background: BackgroundTasks
    #: That the cache matches semantically.
    languages: Languages = ENGLISH_ONLY
    #: None: the cache verifies nothing.
    judging: Judging | None = None
    #: That only the shadow policy looks at.
    shadow_signals: tuple[Signal, ...] = ()
    #: Its decisions; None: those of `background`.
    shadow_background: BackgroundTasks | None = None
    #: By signal: of the trained head that it names by a folder, as it was when it was opened.
    heads: Mapping[str, str] = field(default_factory=dict)
    #: Of the models for which the length of a request matters, by the file of their tokenizer.
    counters: Mapping[str, TokenCounter] = field(default_factory=dict)
    #: Shadow evaluations; None: none can be.
    evaluating: BackgroundTasks | None = None


@asynccontextmanager
async def open_resources(
    config: section.Config,
    policy: RouterPolicy,
    clock: Clock,
    backend_listener: BackendListener | None = None,
) -> AsyncIterator[Resources]:
    """What the policy of a checked configuration needs, open inside the block.

    backend_listener: is told when the cache's backend is lost, and when it is back.

    Raises:
        ConfigError: a model is missing, damaged or does not fit; Milvus is no reason: it may come later.
    """
    async with AsyncExitStack() as stack:
        inference = stack.enter_context(InferenceExecutor(max_waiting=INFERENCES_WAITING_MAX))
        encoder, heads = _open_encoder(config, policy, inference), _heads(policy)
        bodies = stack.enter_context(InferenceExecutor(max_waiting=BODIES_WAITING_MAX))
        classifiers = EncoderClassifiers(encoder)
        signals = _open_signals(policy.signals, classifiers)
        cache, languages, judging = None, ENGLISH_ONLY, None
        if config.semantic_cache.enabled and encoder is not None:
            judging = Judging(inference, config.limits.cache_timeout_s)
            opening = _Opening(clock, stack, backend_listener, judging)
            languages = Languages.of(read_known(), config.semantic_cache.languages)
            verifier = LanguageVerifier(languages, _verifier(config))
            cache = await _open_cache(config, encoder, opening, verifier)
        background = await stack.enter_async_context(BackgroundTasks(clock))
        second = await stack.enter_async_context(BackgroundTasks(clock, tasks_max=WAITING_MAX))
        evaluating = await stack.enter_async_context(
            BackgroundTasks(clock, tasks_max=evaluations.WAITING_MAX, task_s=evaluations.EVALUATION_S)
        )
        shadow = _open_signals(policy.shadow_signals, classifiers)
        counters = _open_counters(policy, classifiers, {})
        opened = (
            encoder, inference, bodies, signals, cache, background, languages, judging, shadow, second, heads,
        )  # fmt: skip
        yield Resources(*opened, counters, evaluating)


def reopened(
    resources: Resources, config: section.Config, policy: RouterPolicy, opened: Mapping[str, SignalSettings]
) -> Resources:
    """The resources for another policy: what is expensive stays open, only signals that changed are opened.

    opened: what the signals of `resources` were opened by. Takes as long as opening a model does, and may
    run beside the event loop.

    Raises:
        ConfigError: a model is missing, damaged or does not fit.
    """
    encoder = resources.encoder or _open_encoder(config, policy, resources.inference)
    classifiers, known = EncoderClassifiers(encoder), {signal.name: signal for signal in resources.signals}
    heads = _heads(policy)

    def is_kept(name: str) -> bool:
        same = opened.get(name) == policy.signals[name]
        return same and resources.heads.get(name) == heads[name]

    signals = tuple(
        known[name] if is_kept(name) else settings.open(name, classifiers)
        for name, settings in policy.signals.items()
    )
    shadow = _open_signals(policy.shadow_signals, classifiers)
    counters = _open_counters(policy, classifiers, resources.counters)
    opened_anew = replace(resources, encoder=encoder, signals=signals, shadow_signals=shadow, heads=heads)
    return replace(opened_anew, counters=counters)


def _heads(policy: RouterPolicy) -> dict[str, str]:
    """Before anything is opened: a head that is trained anew in this moment is opened again next time."""
    return {name: heads_digest(head_files(settings)) for name, settings in policy.signals.items()}


def _open_signals(settings: Mapping[str, SignalSettings], classifiers: Classifiers) -> tuple[Signal, ...]:
    return tuple(signal.open(name, classifiers) for name, signal in settings.items())


def _open_counters(
    policy: RouterPolicy, classifiers: Classifiers, known: Mapping[str, TokenCounter]
) -> dict[str, TokenCounter]:
    """Those of the models that have a window and a tokenizer; what is known stays open."""
    named = {each.tokenizer: each.model for each in policy.routing.bounded if each.tokenizer is not None}
    return {
        file: known.get(file) or classifiers.token_counter(file, where=f"models.{model}.tokenizer")
        for file, model in named.items()
    }


# ── encoder ───────────────────────────────────────────────────────────────────────────────────


def _open_encoder(config: section.Config, policy: RouterPolicy, inference: Inference) -> Encoder | None:
    if not policy.needs_encoder and not config.semantic_cache.enabled:
        return None
    wanted = config.encoder
    return open_encoder(
        _encoder_folder(wanted),
        pooling=wanted.pooling,
        max_tokens=wanted.max_tokens,
        prefix=wanted.prefix,
        engine=Engine(wanted.threads, wanted.providers),
        others_wait=inference.others_wait,
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
    judging: Judging


async def _open_cache(
    config: section.Config,
    encoder: Encoder,
    opening: _Opening,
    verifier: Verifier,
) -> SemanticCache:
    wanted, clock, stack, judging = config.semantic_cache, opening.clock, opening.stack, opening.judging
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


def _near_tier(wanted: section.SemanticCache, clock: Clock, *, max_entries: int) -> NearTier:
    return NearTier(
        clock,
        max_entries=max_entries,
        max_bytes=wanted.near.max_bytes,
        policy=wanted.eviction_policy,
        scope_share_max=wanted.near.scope_share_max,
    )


def _verifier(config: section.Config) -> Verifier:
    if config.semantic_cache.verifier == "guards":
        return GuardVerifier()
    # Its calibration relies on the built-in encoder's similarities.
    return open_verifier(own_encoder=config.encoder.is_built_in)


class Judging:
    """Runs verification where the encoder runs. Fits cache.judging.RunBlocking."""

    def __init__(self, inference: Inference, timeout_s: float) -> None:
        self._inference = inference
        #: For one lookup; another policy may say otherwise.
        self.timeout_s = timeout_s

    async def __call__(self, work: Callable[[], ResultT]) -> ResultT:
        """See RunBlocking."""
        return await self._inference.run(work, timeout_s=self.timeout_s)
