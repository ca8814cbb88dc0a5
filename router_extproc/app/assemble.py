"""Puts a router together: open resources and one policy give the parts that every exchange needs.

Pure: opens nothing and changes nothing, so it may be called again with another policy and the same
resources; tests call it with fakes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from router_extproc.app.learned import Learned
from router_extproc.app.resources import Resources
from router_extproc.cache.false_hits.compare import AnswerComparison
from router_extproc.clock import Clock
from router_extproc.config.router_policy import RouterPolicy, StageLimits
from router_extproc.dialects import DIALECTS, find_dialect
from router_extproc.dialects.base import Dialect
from router_extproc.dialects.routed import ROUTED_APIS, find_routed
from router_extproc.dialects.routed.base import RoutedApi
from router_extproc.pipeline.bodies import BodyReader
from router_extproc.pipeline.caching.entries import EntryRules
from router_extproc.pipeline.caching.question import SemanticMatching
from router_extproc.pipeline.caching.reuse import ReuseRules
from router_extproc.pipeline.caching.shadow import ShadowComparisons
from router_extproc.pipeline.caching.stage import CacheStage, ShadowSampling
from router_extproc.pipeline.caching.warming import Warmer
from router_extproc.pipeline.evaluation.asking import AskPool, ask_nobody
from router_extproc.pipeline.evaluation.evaluations import Evaluations
from router_extproc.pipeline.evaluation.judge import Judge
from router_extproc.pipeline.evaluation.outcomes import Evaluated
from router_extproc.pipeline.evaluation.sampling import EvaluationSampling
from router_extproc.pipeline.exchange import ExchangeParts
from router_extproc.pipeline.model_list import ModelList
from router_extproc.pipeline.more_headers import all_headers
from router_extproc.pipeline.observer import AnswerObserver
from router_extproc.pipeline.operators import Operators
from router_extproc.pipeline.parsed_request import RequestParser
from router_extproc.pipeline.replays import Replays
from router_extproc.pipeline.report import Listener
from router_extproc.pipeline.request import RequestPipeline
from router_extproc.pipeline.sessions import SessionKeeper
from router_extproc.pipeline.shadow_policy import READ_S, ShadowDecision, ShadowDecisions
from router_extproc.pipeline.signal_stage import SignalStage
from router_extproc.pipeline.token_counts import TokenCounts
from router_extproc.pipeline.upstream import Answerers
from router_extproc.routing.catalogue import Catalogue
from router_extproc.routing.traffic import Traffic

#: Requests with known answers are chat completions.
WARM_DIALECT = "openai_chat"
#: And so are requests to judges.
JUDGE_DIALECT = "openai_chat"
#: No client waits for them: no stage may be skipped, however busy the machine is.
WARM_LIMITS = StageLimits.patient(10.0)


def find_api(method: str, path: str) -> Dialect | RoutedApi | None:
    """What is understood of a method and path; None: nothing, it passes untouched."""
    return find_dialect(method, path) or find_routed(method, path)


def nobody_counts(_: ShadowDecision) -> None:
    """Where there is no shadow policy, or it is not looked at."""


def nobody_hears(_: Evaluated) -> None:
    """Where no evaluation is looked at."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a router talks to beside its resources."""

    listener: Listener
    clock: Clock
    #: A number from 0 to below 1, each as likely as another.
    chance: Callable[[], float]
    #: Waits.
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    #: Is told of each request that the shadow policy has decided, too.
    shadow_decided: Callable[[ShadowDecision], None] = nobody_counts
    #: Reaches pools past Envoy, for shadow evaluations.
    ask_pool: AskPool = ask_nobody
    #: Is told how each of them went.
    evaluated: Callable[[Evaluated], None] = nobody_hears


@dataclass(frozen=True, slots=True)
class Router:
    """One policy at work."""

    policy: RouterPolicy
    parts: ExchangeParts
    #: None: the cache is off.
    warmer: Warmer | None
    #: What it works with.
    resources: Resources


def assemble(
    resources: Resources, policy: RouterPolicy, learned: Learned, surroundings: Surroundings
) -> Router:
    """The router of a policy."""
    parts = _Parts(resources, policy, learned, surroundings)
    return Router(policy, parts.exchange(), parts.warmer(), resources)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Makes each part from what it needs."""

    resources: Resources
    policy: RouterPolicy
    learned: Learned
    surroundings: Surroundings

    def exchange(self) -> ExchangeParts:
        return ExchangeParts.of(
            replace(
                self._pipeline(self.policy, self.learned.traffic),
                second=self._second(),
                evaluations=self._sampling(),
            ),
            self._observer(),
            find_api,
            self.surroundings.listener,
            self.surroundings.clock,
            self.learned.savings,
            self.policy.limits.message_timeout_s,
            self.surroundings.pause,
            coalesces=self.policy.cache.coalescing is not None,
            operators=Operators(self.policy.debug_token, self.policy.version),
            more_headers=all_headers(self.policy.old_headers, self.policy.saved_header),
            model_list=self._model_list(),
            path_forms=self.policy.path_forms,
        )

    def _model_list(self) -> ModelList | None:
        if not self.policy.own_model_list:
            return None
        return ModelList(self._catalogue(self.policy), int(self.surroundings.clock.wall_s()))

    def _catalogue(self, policy: RouterPolicy) -> Catalogue:
        return replace(policy.catalogue, pools=self.learned.pool_models)

    def warmer(self) -> Warmer | None:
        if self.resources.cache is None:
            return None
        # Without traffic: a known answer is the model's own, whether its pool is up or not.
        pipeline = self._pipeline(self.policy.with_limits(WARM_LIMITS), None)
        largest = self.policy.cache.max_answer_bytes
        return Warmer(pipeline, DIALECTS[WARM_DIALECT], self.surroundings.clock, largest)

    def _pipeline(self, policy: RouterPolicy, traffic: Traffic | None) -> RequestPipeline:
        return RequestPipeline(
            self.surroundings.clock,
            self._parser(policy),
            policy.routing,
            self._signal_stage(policy.limits),
            self._cache_stage(policy.limits),
            policy.limits.budget_s,
            Replays(
                self.surroundings.clock, policy.prices, self.learned.pages, policy.baseline, policy.tenants
            ),
            BodyReader(self.resources.body_executor, policy.limits.max_body_bytes),
            TokenCounts(self.resources.inference, policy.limits.signals_timeout_s, self.resources.counters),
            traffic,
            failovers=policy.routing.failovers,
            tenants=policy.tenants,
            sessions=SessionKeeper(
                None if traffic is None else self.learned.sessions,
                policy.session_names,
                policy.session_idle_s,
                outcomes=self.learned.outcomes,
            ),
        )

    def _second(self) -> ShadowDecisions | None:
        """The shadow policy."""
        shadow, resources = self.policy.shadow, self.resources
        if shadow is None:
            return None
        own = SignalStage(
            signals=resources.shadow_signals,
            encoder=resources.encoder,
            inference=resources.inference,
            timeout_s=READ_S,
            of_texts=self.policy.text_signals,
        )
        shared = frozenset(self.policy.signals) & shadow.routing.signals - self.policy.shadow_signals.keys()
        return ShadowDecisions(
            shadow.routing,
            own,
            shared,
            resources.shadow_background or resources.background,
            clock=self.surroundings.clock,
            count=self.surroundings.shadow_decided,
        )

    def _parser(self, policy: RouterPolicy) -> RequestParser:
        rules = ReuseRules(policy.cache.reuse, self.resources.signals)
        in_key = [signal for signal in self.resources.signals if signal.name in policy.key_signals]
        return RequestParser(
            self._catalogue(policy),
            policy.cache_policies,
            in_key,
            self.learned.vary,
            rules,
            policy.local_rules,
            policy.ask_reader,
            policy.routing.default,
            self.learned.homes,
        )

    def _signal_stage(self, limits: StageLimits) -> SignalStage:
        return SignalStage(
            signals=self.resources.signals,
            encoder=self.resources.encoder,
            inference=self.resources.inference,
            timeout_s=limits.signals_timeout_s,
            of_texts=self.policy.text_signals,
        )

    def _cache_stage(self, limits: StageLimits) -> CacheStage | None:
        cache, encoder = self.resources.cache, self.resources.encoder
        if cache is None or encoder is None:
            return None
        sampling = ShadowSampling(self.learned.evidence, self.surroundings.chance, self.policy.cache.feedback)
        answerers = Answerers(self.policy.catalogue, self.policy.routing)
        return CacheStage(
            cache.lookup,
            EntryRules(self.policy.cache_policies, answerers, encoder.identity),
            self.surroundings.clock,
            limits.cache_timeout_s,
            sampling,
            SemanticMatching(self.resources.languages, encoder.dim),
        )

    def _observer(self) -> AnswerObserver:
        return AnswerObserver(
            {**DIALECTS, **ROUTED_APIS},
            self.resources.cache,
            self.surroundings.listener,
            self.surroundings.clock,
            self.policy.cache.max_answer_bytes,
            self._shadow(),
            self.learned.hit_timing,
            self.learned.traffic,
            None if self.resources.cache is None else self.learned.coalescer,
            self.learned.pages,
            self.learned.vary,
            self.learned.homes,
            baseline=self.policy.baseline,
            thinking=self.learned.thinking,
            evaluations=self._evaluations(),
            sessions=self.learned.sessions,
        )

    def _sampling(self) -> EvaluationSampling | None:
        rules = self.policy.evaluation
        return EvaluationSampling(rules, self.surroundings.chance) if rules else None

    def _evaluations(self) -> Evaluations | None:
        rules, resources, around = self.policy.evaluation, self.resources, self.surroundings
        if not rules or resources.encoder is None or resources.evaluating is None:
            return None
        return Evaluations(
            rules,
            self.learned.evaluation_budgets,
            self.policy.prices,
            around.clock,
            resources.evaluating,
            around.ask_pool,
            AnswerComparison(resources.encoder),
            Judge(around.ask_pool, DIALECTS[JUDGE_DIALECT], around.chance),
            resources.inference,
            around.evaluated,
            self.learned.outcomes,
        )

    def _shadow(self) -> ShadowComparisons | None:
        cache, encoder = self.resources.cache, self.resources.encoder
        if cache is None or encoder is None:
            return None
        background, inference = self.resources.background, self.resources.inference
        comparison = AnswerComparison(encoder)
        return ShadowComparisons(cache, self.learned.evidence, background, comparison, inference)
