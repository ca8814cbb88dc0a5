"""The configuration as the values that routing and the cache work with.

Its references were checked before (`check.py`).
"""

from __future__ import annotations

from typing import Final

from router_extproc.cache.decision_policy import CachePolicy, ScopeRules
from router_extproc.cache.scope import HeaderScope, ScopeRule, SharedScope
from router_extproc.clock import Clock
from router_extproc.config import model as section
from router_extproc.pipeline.caching.savings import Price, Prices
from router_extproc.routing.catalogue import Catalogue
from router_extproc.routing.policy import Policy, RoutingDecision, Target
from router_extproc.routing.rules import read_rule
from router_extproc.routing.traffic import Traffic

#: Settings of a decision's cache that semantic hits follow, and exact hits do not.
SEMANTIC_ONLY: Final = ("similarity_min", "shadow_rate", "max_false_hit_rate", "multi_turn")


def catalogue_of(config: section.Config) -> Catalogue:
    """The model names that a client may ask for."""
    return Catalogue.of(config.virtual_models, tuple(_targets(config).values()))


def traffic_of(config: section.Config, clock: Clock) -> Traffic:
    """Where models are served, and who answers in the place of whom."""
    fallbacks = {key: model.fallback for key, model in config.models.items() if model.fallback is not None}
    return Traffic(clock, _targets(config), fallbacks)


def policy_of(config: section.Config) -> Policy:
    """The decisions in their order, with the default model behind them."""
    targets = _targets(config)
    decisions = tuple(
        RoutingDecision(
            decision.name,
            decision.priority,
            read_rule(decision.when, f"decisions[{index}].when"),
            targets[decision.model],
            decision.reasoning,
            cache_policy_of(config.semantic_cache, decision.cache),
            decision.tags,
            refuses_unread=decision.unread == "deny",
        )
        for index, decision in enumerate(config.decisions)
    )
    default_cache = cache_policy_of(config.semantic_cache, section.DecisionCache())
    return Policy(decisions, default=targets[config.default_model], default_cache=default_cache)


def cache_policy_of(cache: section.SemanticCache, own: section.DecisionCache) -> CachePolicy:
    """What a decision says of the cache, and `semantic_cache` where it says nothing."""
    return CachePolicy(
        (own.mode or "semantic") if cache.enabled else "off",
        cache.similarity_threshold if own.similarity_min is None else own.similarity_min,
        cache.ttl_seconds if own.ttl_s is None else own.ttl_s,
        cache.store_tool_calls if own.store_tool_calls is None else own.store_tool_calls,
        cache.shadow_rate if own.shadow_rate is None else own.shadow_rate,
        cache.max_false_hit_rate if own.max_false_hit_rate is None else own.max_false_hit_rate,
        cache.hide_timing if own.hide_timing is None else own.hide_timing,
        own.multi_turn or cache.multi_turn,
    )


def prices_of(config: section.Config) -> Prices:
    """What tokens cost."""
    return Prices(
        {
            key: Price(model.cost.input_per_mtok, model.cost.output_per_mtok)
            for key, model in config.models.items()
        }
    )


def scope_rules_of(config: section.Config) -> ScopeRules:
    """Who may share entries, decision by decision."""
    own = {
        decision.name: _scope_rule(decision.cache.scope)
        for decision in config.decisions
        if decision.cache.scope is not None
    }
    return ScopeRules(_scope_rule(config.semantic_cache.scope), own)


def _scope_rule(scope: section.Scope) -> ScopeRule:
    if scope == "shared":
        return SharedScope()
    return HeaderScope(tuple(sorted({name.lower() for name in scope.headers})))


def routing_headers_of(config: section.Config) -> tuple[str, ...]:
    """The headers that signals read, in lower case and a fixed order."""
    return tuple(sorted({name for signal in config.signals.values() for name in signal.headers()}))


def _targets(config: section.Config) -> dict[str, Target]:
    return {
        key: Target(
            key,
            model.cluster,
            model.served_name or key,
            None if model.reasoning is None else model.reasoning.family,
            model.cost.input_per_mtok,
            model.cost.output_per_mtok,
        )
        for key, model in config.models.items()
    }
