"""The application: a router that is ready to be served, or to be asked about a request."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from router_extproc.app.assemble import Router, Surroundings, assemble, nobody_counts, nobody_hears
from router_extproc.app.learned import Learned, nothing_learned
from router_extproc.app.resources import Resources, open_resources
from router_extproc.cache.false_hits.evidence import Evidence
from router_extproc.cache.health import BackendListener
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.clock import Clock, SystemClock
from router_extproc.config.model import Config
from router_extproc.config.router_policy import RouterPolicy
from router_extproc.config.translate import router_policy_of
from router_extproc.dialects.routed.base import RoutedApi
from router_extproc.models.base import Encoder
from router_extproc.pipeline.background import BackgroundTasks
from router_extproc.pipeline.caching.savings import Savings
from router_extproc.pipeline.caching.warming import Warmer
from router_extproc.pipeline.decision import Decision
from router_extproc.pipeline.evaluation.asking import AskPool, ask_nobody
from router_extproc.pipeline.evaluation.outcomes import Evaluated
from router_extproc.pipeline.explain import RequestExplained, explain_request
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.pipeline.report import Listener
from router_extproc.pipeline.shadow_policy import ShadowDecision
from router_extproc.protocol.driver import ExchangeDriver
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.modes import Role
from router_extproc.routing.traffic import Traffic


@dataclass(slots=True)
class CurrentRouter:
    """The router whose parts the next exchange takes; one that has begun keeps those it began with."""

    router: Router


@dataclass(frozen=True, slots=True)
class Application:
    """What was learned, and the router that works by the policy in force."""

    learned: Learned
    surroundings: Surroundings
    current: CurrentRouter

    def drive(self, role: Role) -> ExchangeDriver:
        """A driver for a new stream."""
        return self.current.router.parts.drive(role)

    async def explain(self, method: str, path: str, headers: Headers, body: bytes) -> Decision | None:
        """What would be decided; None: nothing is understood at this method and path.

        Looks into the cache and changes nothing of it; reports nothing.
        """
        parts = self.current.router.parts
        api = parts.find_api(method, parts.path_forms.plain(path).path)
        if api is None:
            return None
        return await replace(parts, pipeline=parts.pipeline.read_only()).decide(api, headers, body)

    def swap(self, router: Router) -> None:
        """Work by another router from now on: one that was made ready before (`app.prepare`)."""
        self.current.router = router
        self.learned.follow(router.policy)
        judging = router.resources.judging
        if judging is not None:
            judging.timeout_s = router.policy.limits.cache_timeout_s

    @property
    def resources(self) -> Resources:
        """What is open now."""
        return self.current.router.resources

    async def explain_whole(
        self, method: str, path: str, headers: Headers, body: bytes
    ) -> RequestExplained | None:
        """As `explain`, with the ask, every rule, and what the request would cost."""
        parts = self.current.router.parts
        api = parts.find_api(method, parts.path_forms.plain(path).path)
        if api is None:
            return None
        if isinstance(api, RoutedApi):
            return RequestExplained(await parts.decide(api, headers, body))
        return await explain_request(parts.pipeline, RawRequest(api, headers, body))

    @property
    def policy(self) -> RouterPolicy:
        """What the next exchange works by."""
        return self.current.router.policy

    @property
    def warmer(self) -> Warmer | None:
        """Makes entries of known answers; None: the cache is off."""
        return self.current.router.warmer

    @property
    def encoder(self) -> Encoder | None:
        """None: nothing needs it."""
        return self.resources.encoder

    @property
    def cache(self) -> SemanticCache | None:
        """None: the cache is off."""
        return self.resources.cache

    @property
    def background(self) -> BackgroundTasks:
        """What is done behind the requests."""
        return self.resources.background

    @property
    def savings(self) -> Savings:
        """What hits have saved."""
        return self.learned.savings

    @property
    def evidence(self) -> Evidence:
        """How often semantic hits were wrong."""
        return self.learned.evidence

    @property
    def traffic(self) -> Traffic:
        """Which pools are down."""
        return self.learned.traffic


@asynccontextmanager
async def build(
    config: Config,
    listener: Listener,
    *,
    clock: Clock | None = None,
    backend_listener: BackendListener | None = None,
    version: int = 1,
    shadow: Config | None = None,
    shadow_decided: Callable[[ShadowDecision], None] = nobody_counts,
    ask_pool: AskPool = ask_nobody,
    evaluated: Callable[[Evaluated], None] = nobody_hears,
) -> AsyncIterator[Application]:
    """The application of a checked configuration, open inside the block.

    version: number of the policy.
    shadow: what the configuration's `shadow_policy` names.
    shadow_decided: is told of each request that the shadow policy has decided, too.
    ask_pool: reaches pools for shadow evaluations; evaluated: is told how each of them went.

    backend_listener: is told when the cache's backend is lost, and when it is back.

    Raises:
        ConfigError: see open_resources.
    """
    clock, policy = clock or SystemClock(), router_policy_of(config, shadow)
    async with open_resources(config, policy, clock, backend_listener) as resources:
        learned = nothing_learned(policy, clock, random.random)
        surroundings = Surroundings(
            listener,
            clock,
            random.random,
            shadow_decided=shadow_decided,
            ask_pool=ask_pool,
            evaluated=evaluated,
        )
        router = assemble(resources, policy.as_version(version), learned, surroundings)
        yield Application(learned, surroundings, CurrentRouter(router))
