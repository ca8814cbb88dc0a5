"""The configuration as the values that routing, the cache and the pipeline work with.

References between sections were checked before (`check.py`); `app` opens what is named here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from router_extproc.cache.digest import digest, text
from router_extproc.config import decisions as decided
from router_extproc.config import model as section
from router_extproc.config.check_selections import own_signals
from router_extproc.config.failover import orders_of
from router_extproc.config.limits import Limits
from router_extproc.config.router_policy import RouterPolicy, StageLimits
from router_extproc.config.savings import baseline_of, tenants_of
from router_extproc.config.shadow_evaluation import evaluation_of
from router_extproc.config.traffic import Sessions
from router_extproc.config.translate_cache import cache_policies_of, cache_settings_of
from router_extproc.config.translate_changes import changes_of
from router_extproc.conversation.ask import AskReader
from router_extproc.dialects.path_forms import PathForms
from router_extproc.llm.changes import RequestChanges
from router_extproc.llm.price import Price
from router_extproc.pipeline.baseline import Baseline
from router_extproc.pipeline.caching.savings import Prices
from router_extproc.pipeline.conversations import SessionNames
from router_extproc.pipeline.old_headers import OldHeaders
from router_extproc.pipeline.saved_header import SavedHeader
from router_extproc.routing.actions import AnswerText, Block, LocalAction, Redaction
from router_extproc.routing.catalogue import Catalogue, Target
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.failover import Failovers
from router_extproc.routing.fallback import Fallbacks
from router_extproc.routing.policy import Policy
from router_extproc.routing.rules import read_rule
from router_extproc.routing.selection.base import Candidate
from router_extproc.routing.traffic.snapshot import Factors
from router_extproc.signals.base import SignalSettings
from router_extproc.signals.context_length import ContextLengthSettings
from router_extproc.signals.intent import IntentSettings

_RULES: Final = b"rx-rules-1"


def router_policy_of(config: section.Config, shadow: section.Config | None = None) -> RouterPolicy:
    """What the configuration says of requests, as one value; `shadow`: what its `shadow_policy` names."""
    targets = _targets(config.models)
    prices = _prices(config.models)
    baseline = _baseline(config, prices)
    routing = _routing(config, targets, prices)
    cache = cache_settings_of(config.semantic_cache)
    looked_at = routing.signals | cache.reuse.signals
    return RouterPolicy(
        Catalogue.of(
            config.virtual_models,
            tuple(targets.values()),
            {key: model.aliases for key, model in config.models.items()},
        ),
        routing,
        {
            name: _counting(signal, config)
            for name, signal in {**config.signals, **own_signals(config)}.items()
            if name in looked_at
        },
        cache_policies_of(config),
        cache,
        Prices(prices),
        _stage_limits(config.limits),
        _local_rules(config, routing.signals),
        AskReader.of(config.conversation.harness, config.conversation.earlier_turns_max),
        debug_token=config.telemetry.debug_token,
        shadow=None if shadow is None else router_policy_of(shadow),
        path_forms=PathForms(config.envoy.path_prefixes),
        own_model_list=config.model_list == "router",
        old_headers=_old_headers(config),
        baseline=baseline,
        saved_header=SavedHeader(baseline) if config.savings.header and baseline is not None else None,
        tenants=tenants_of(config),
        traffic=Factors(**config.traffic.model_dump()),
        session_names=_session_names(config.sessions),
        session_idle_s=config.sessions.idle_s,
        evaluation=evaluation_of(config, targets),
    )


def _baseline(config: section.Config, prices: Mapping[str, Price]) -> Baseline | None:
    name = baseline_of(config)
    off = [each.name for each in config.decisions if (change := changes_of(each)) and _is_off(change)]
    return None if name is None else Baseline(name, prices, frozenset(off))


def _session_names(sessions: Sessions) -> SessionNames:
    headers = tuple(name.lower() for name in sessions.headers)
    return SessionNames(headers, sessions.by_claim, sessions.claim_header.lower())


def _is_off(changes: RequestChanges) -> bool:
    return changes.reasoning is not None and not changes.reasoning.on


def _old_headers(config: section.Config) -> OldHeaders | None:
    """The old router's headers, with trained intents as its categories."""
    if config.envoy.compatible_headers is None:
        return None
    intents = ((name, each) for name, each in config.signals.items() if isinstance(each, IntentSettings))
    return OldHeaders(tuple(name for name, intent in intents if intent.model is not None))


# ── routing ───────────────────────────────────────────────────────────────────────────────────


def _targets(models: Mapping[str, section.Model]) -> dict[str, Target]:
    return {
        key: Target(
            key,
            model.cluster,
            model.served_name or key,
            None if model.reasoning is None else model.reasoning.family,
            None if model.accepts is None else frozenset(model.accepts),
            model.context_tokens,
            model.tokenizer,
            model.ask_usage,
        )
        for key, model in models.items()
    }


def _routing(config: section.Config, targets: Mapping[str, Target], prices: Mapping[str, Price]) -> Policy:
    decisions = tuple(
        RoutingDecision(
            decision.name,
            decision.priority,
            read_rule(decision.when, f"decisions[{index}].when"),
            tuple(
                Candidate(targets[each.model], each.weight, prices.get(each.model))
                for each in decision.candidates
            ),
            changes_of(decision),
            decision.tags,
            decision.selection.open(),
            decision.unread == "deny",
            _local_action(decision.action),
            decision.takes_pinned,
            _redaction(decision.action),
            decision.selection.learning(each.model for each in decision.candidates),
        )
        for index, decision in enumerate(config.decisions)
    )
    fallbacks = {key: model.fallback for key, model in config.models.items() if model.fallback is not None}
    return Policy(
        decisions,
        default=targets[config.default_model],
        fallbacks=Fallbacks(targets, fallbacks),
        failovers=_failovers(config, targets),
    )


def _failovers(config: section.Config, targets: Mapping[str, Target]) -> Failovers:
    named = orders_of(config).items()
    orders = {where: tuple(targets[name] for name in names) for where, names in named}
    return Failovers(orders, 1 if config.failover is False else config.failover.attempts_max)


def _counting(signal: SignalSettings, config: section.Config) -> SignalSettings:
    """The signal; one that counts tokens and names no tokenizer has the default model's."""
    if not isinstance(signal, ContextLengthSettings) or signal.tokenizer is not None:
        return signal
    return signal.model_copy(update={"tokenizer": config.models[config.default_model].tokenizer})


def _local_rules(config: section.Config, signals: Iterable[str]) -> str:
    if not any(_acts(decision) for decision in config.decisions):
        return ""
    rules = [
        each.model_dump_json(include={"name", "priority", "when", "action", "unread", "pinned"})
        for each in config.decisions
    ]
    read = [config.signals[name].model_dump_json() for name in sorted(signals) if name in config.signals]
    return digest(_RULES, map(text, (*rules, *read, config.conversation.model_dump_json())))


def _acts(decision: decided.Decision) -> bool:
    """Whether an exact hit, which is found before the decision, would pass it by."""
    local = decision.action is not None and decision.action.is_local
    return local or decision.takes_pinned


def _local_action(action: decided.Action | None) -> LocalAction | None:
    if action is None:
        return None
    if action.block is not None:
        return Block(action.block.message, action.block.status)
    return None if action.answer is None else AnswerText(action.answer)


def _redaction(action: decided.Action | None) -> Redaction | None:
    if action is None or not action.changes_texts:
        return None
    redact = action.redaction
    if redact is None:
        return Redaction((), action.mask)
    return Redaction(redact.kinds, action.mask, redact.restore)


# ── prices and limits ─────────────────────────────────────────────────────────────────────────


def _prices(models: Mapping[str, section.Model]) -> dict[str, Price]:
    return {key: model.cost.price for key, model in models.items()}


def _stage_limits(limits: Limits) -> StageLimits:
    return StageLimits(
        limits.message_timeout_s,
        limits.message_timeout_s - limits.margin_s,
        limits.signals_timeout_s,
        limits.cache_timeout_s,
        limits.max_body_bytes,
    )
