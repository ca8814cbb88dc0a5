"""What a worker learns from the requests it serves, for as long as it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from router_extproc.cache.decision_policy import CachePolicies
from router_extproc.cache.false_hits.evidence import Evidence
from router_extproc.cache.vary import VaryNames
from router_extproc.clock import Clock
from router_extproc.config.router_policy import CoalescingLimits, RouterPolicy
from router_extproc.pipeline.answer_homes import AnswerHomes
from router_extproc.pipeline.baseline import ThinkingLengths
from router_extproc.pipeline.caching.coalescing import Coalescer
from router_extproc.pipeline.caching.hit_timing import HitTiming
from router_extproc.pipeline.caching.pages import PagesHeard
from router_extproc.pipeline.caching.savings import Savings
from router_extproc.pipeline.evaluation.budgets import HourlyBudgets
from router_extproc.pipeline.remembered_sessions import RememberedSessions
from router_extproc.routing.outcomes.live import LiveOutcomes
from router_extproc.routing.pool_models import PoolModels
from router_extproc.routing.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Learned:
    """State that all exchanges share and change; it outlives each of them."""

    savings: Savings
    #: How often semantic hits were wrong.
    evidence: Evidence
    #: Which pools are down.
    traffic: Traffic
    #: How long misses take.
    hit_timing: HitTiming
    #: Which pages may read answers.
    pages: PagesHeard
    #: Its waits go on over a reload; whether new requests join it, the policy says.
    coalescer: Coalescer
    #: What pools have said that their answers hang on.
    vary: VaryNames = field(default_factory=VaryNames)
    #: How long models think.
    thinking: ThinkingLengths = field(default_factory=ThinkingLengths)
    #: Who has given which answer that a pool may keep.
    homes: AnswerHomes = field(default_factory=AnswerHomes)
    #: What pools have said that they serve.
    pool_models: PoolModels = field(default_factory=PoolModels)
    #: On which model each session is.
    sessions: RememberedSessions = field(default_factory=RememberedSessions)
    #: What shadow evaluation has spent of the last hour's requests.
    evaluation_budgets: HourlyBudgets = field(default_factory=HourlyBudgets)

    #: How answers were, of decisions that learn from it.
    outcomes: LiveOutcomes = field(kw_only=True)

    def follow(self, policy: RouterPolicy) -> None:
        """Work by another policy's bounds and targets from now on; nothing that was learned is lost."""
        routing, coalescing = policy.routing, policy.cache.coalescing
        self.evidence.follow(_false_hit_rates(policy.cache_policies))
        self.traffic.follow(routing.fallbacks.targets, routing.leavable)
        self.traffic.live.follow(routing.choices, policy.traffic)
        self.evaluation_budgets.keep(policy.evaluation.names)
        self.outcomes.follow(routing.learning)
        self.hit_timing.follow(max_s=policy.cache.hide_timing_max_s)
        if coalescing is not None:
            self.coalescer.set_bounds(wait_s=coalescing.wait_s, waiters_max=coalescing.waiters_max)


#: Of a policy by which nobody waits.
_UNUSED: Final = CoalescingLimits(wait_s=0.0, waiters_max=0)


def nothing_learned(policy: RouterPolicy, clock: Clock, chance: Callable[[], float]) -> Learned:
    """The state at the start; `chance`: a number from 0 to below 1, each as likely as another."""
    cache, limits = policy.cache, policy.cache.coalescing or _UNUSED
    return Learned(
        Savings(),
        Evidence(_false_hit_rates(policy.cache_policies)),
        _traffic(policy, clock),
        HitTiming(max_s=cache.hide_timing_max_s, chance=chance),
        PagesHeard(clock),
        Coalescer(clock, wait_s=limits.wait_s, waiters_max=limits.waiters_max),
        outcomes=_outcomes(policy, clock),
    )


def _outcomes(policy: RouterPolicy, clock: Clock) -> LiveOutcomes:
    outcomes = LiveOutcomes(clock)
    outcomes.follow(policy.routing.learning)
    return outcomes


def _traffic(policy: RouterPolicy, clock: Clock) -> Traffic:
    routing = policy.routing
    traffic = Traffic(clock, routing.fallbacks.targets, routing.leavable)
    traffic.live.follow(routing.choices, policy.traffic)
    return traffic


def _false_hit_rates(policies: CachePolicies) -> Callable[[str], float | None]:
    """By decision: the share of false hits that may not be exceeded; None: no bound."""

    def rate_max(decision: str) -> float | None:
        policy = policies.of(decision)
        return None if policy is None else policy.max_false_hit_rate

    return rate_max
