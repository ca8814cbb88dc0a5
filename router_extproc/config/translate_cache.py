"""The cache's sections of the configuration as the values that the cache and the pipeline work with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from router_extproc.cache.decision_policy import CachePolicies, CachePolicy
from router_extproc.cache.ignore import IgnoreRule
from router_extproc.cache.scope import CREDENTIALS, ClientScope, ScopeRule, SharedScope
from router_extproc.config import decisions as decided
from router_extproc.config import model as section
from router_extproc.config.check_headers import NO_IDENTITY
from router_extproc.config.router_policy import CacheSettings, CoalescingLimits
from router_extproc.pipeline.caching.reuse import REUSE_ALL, ReuseSettings
from router_extproc.routing.rules import read_rule

#: Settings of a decision's cache that semantic hits follow, and exact hits do not.
SEMANTIC_ONLY: Final = ("similarity_min", "shadow_rate", "max_false_hit_rate", "multi_turn")


def cache_policies_of(config: section.Config) -> CachePolicies:
    """The cache policy of every decision, and of requests that no decision takes."""
    cache, identity = config.semantic_cache, config.envoy.strip_headers
    own = {
        decision.name: cache_policy_of(cache, _own_cache(decision), identity) for decision in config.decisions
    }
    return CachePolicies(cache_policy_of(cache, decided.DecisionCache(), identity), own)


def _own_cache(decision: decided.Decision) -> decided.DecisionCache:
    """One client's facts must be in no answer of another's: a decision that replaces some caches nothing."""
    if decision.action is None or not decision.action.changes_texts:
        return decision.cache
    return decision.cache.model_copy(update={"mode": "off"})


def cache_policy_of(
    cache: section.SemanticCache, own: decided.DecisionCache, identity_headers: Iterable[str] = ()
) -> CachePolicy:
    """What a decision says of the cache, and `semantic_cache` where it says nothing.

    identity_headers: those that only Envoy sets; they tell clients apart beside the usual credentials.
    """
    return CachePolicy(
        (own.mode or "semantic") if cache.enabled else "off",
        cache.similarity_threshold if own.similarity_min is None else own.similarity_min,
        cache.ttl_seconds if own.ttl_s is None else own.ttl_s,
        cache.store_tool_calls if own.store_tool_calls is None else own.store_tool_calls,
        cache.shadow_rate if own.shadow_rate is None else own.shadow_rate,
        cache.max_false_hit_rate if own.max_false_hit_rate is None else own.max_false_hit_rate,
        cache.hide_timing if own.hide_timing is None else own.hide_timing,
        own.multi_turn or cache.multi_turn,
        _scope_rule(cache.scope if own.scope is None else own.scope, identity_headers),
        IgnoreRule(cache.ignore if own.ignore is None else own.ignore),
    )


def _scope_rule(scope: decided.Scope, identity_headers: Iterable[str]) -> ScopeRule:
    if scope == "shared":
        return SharedScope()
    named = decided.ScopeFields() if scope == "credentials" else scope
    headers = _credentials_with(identity_headers) if named.headers is None else named.headers
    body = {tuple(path.split(".")) for path in named.body}
    names = tuple(sorted({name.lower() for name in headers}))
    return ClientScope(names, tuple(sorted(body)), anonymous_share=named.anonymous == "shared")


def _credentials_with(identity_headers: Iterable[str]) -> tuple[str, ...]:
    """The usual credentials, and what only Envoy may set, as far as it tells clients apart."""
    lower = (name.lower() for name in identity_headers)
    return (*CREDENTIALS, *(name for name in lower if name not in NO_IDENTITY))


def cache_settings_of(cache: section.SemanticCache) -> CacheSettings:
    """What holds for the whole cache, whatever the decision."""
    wanted = cache.coalescing
    coalescing = CoalescingLimits(wanted.wait_s, wanted.waiters_max) if wanted.enabled else None
    return CacheSettings(
        cache.client_feedback,
        cache.max_answer_bytes,
        cache.hide_timing_max_s,
        coalescing,
        _reuse_settings(cache),
    )


def _reuse_settings(cache: section.SemanticCache) -> ReuseSettings:
    if not cache.enabled:
        return REUSE_ALL
    rule = None if cache.bypass_when is None else read_rule(cache.bypass_when, "semantic_cache.bypass_when")
    volatile_ttl_s = None if cache.volatile_ttl_s == "off" else cache.volatile_ttl_s
    return ReuseSettings(volatile_ttl_s, rule, reuses_kept=cache.kept_answers == "reuse")
