"""Checks what no section can check alone: references, budgets, and values that exclude each other.

Every problem is yielded, none raised, each with the path of the value to change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from router_extproc.cache.decision_policy import CachePolicy
from router_extproc.cache.milvus.settings import Milvus
from router_extproc.config import (
    check_admin,
    check_headers,
    check_ignore,
    check_listen,
    check_pools,
    check_redaction,
    check_signals,
    check_tls,
)
from router_extproc.config.check_changes import check_changes
from router_extproc.config.check_selections import check_selection
from router_extproc.config.check_telemetry import check_telemetry
from router_extproc.config.cors import check_cors
from router_extproc.config.decisions import Decision, DecisionCache
from router_extproc.config.model import Config
from router_extproc.config.paths import check_other_paths
from router_extproc.config.savings import check_savings
from router_extproc.config.shadow_evaluation import check_evaluation
from router_extproc.config.translate_cache import cache_policy_of
from router_extproc.equivalence.languages import known_codes
from router_extproc.errors import ConfigError
from router_extproc.section import did_you_mean

#: Names that a route carries when no decision was taken (routing.route).
RESERVED_DECISIONS = ("default", "pinned")


def check_config(config: Config) -> Iterator[ConfigError]:
    """Every problem, in the order of the sections."""
    yield from check_listen.check(config)
    yield from check_admin.check(config)
    yield from check_tls.check(config)
    yield from check_other_paths("envoy.other_paths", config.envoy.other_paths)
    yield from check_cors("envoy.cors", config.envoy.cors)
    yield from _check_names(config)
    yield from _check_clusters(config)
    yield from check_pools.check(config)
    yield from check_savings(config)
    yield from check_evaluation(config)
    for index, entry in enumerate(config.conversation.harness):
        yield from entry.problems(f"conversation.harness[{index}]")
    yield from check_signals.check_signals(config)
    yield from check_signals.check_bypass(config)
    yield from check_headers.check_headers(config)
    yield from check_ignore.check_ignore(config)
    yield from _check_decisions(config)
    yield from _check_encoder(config)
    yield from _check_cache(config)
    yield from _check_limits(config)
    yield from check_telemetry(config)


# ── encoder ───────────────────────────────────────────────────────────────────────────────────


def _check_encoder(config: Config) -> Iterator[ConfigError]:
    """One place to take it from."""
    encoder = config.encoder
    if encoder.path is not None and encoder.repo is not None:
        yield ConfigError("encoder.repo", "write either path or repo, not both")
    if encoder.repo is None and encoder.revision != "main":
        yield ConfigError("encoder.revision", "has no effect without encoder.repo")


# ── models ────────────────────────────────────────────────────────────────────────────────────


def _check_names(config: Config) -> Iterator[ConfigError]:
    """Virtual and real names must not be confused; the default model must exist."""
    for index, name in enumerate(config.virtual_models):
        if name in config.models:
            yield ConfigError(f"virtual_models[{index}]", f"'{name}' is also a model; rename one of them")
    yield from _check_model("default_model", config.default_model, config)
    for key, model in config.models.items():
        yield from _check_served_name(f"models.{key}.served_name", key, model.served_name, config)
    yield from _check_aliases(config)


def _check_aliases(config: Config) -> Iterator[ConfigError]:
    """An alias is one model's, and no other name."""
    served = (model.served_name for model in config.models.values() if model.served_name)
    taken = {
        **dict.fromkeys(config.virtual_models, "a virtual model"),
        **dict.fromkeys(served, "the served name of a model"),
        **dict.fromkeys(config.models, "the key of a model"),
    }
    for key, model in config.models.items():
        for index, alias in enumerate(model.aliases):
            path = f"models.{key}.aliases[{index}]"
            if alias in taken:
                yield ConfigError(path, f"'{alias}' is also {taken[alias]}")
            taken[alias] = "another alias"


def _check_served_name(path: str, key: str, name: str | None, config: Config) -> Iterator[ConfigError]:
    if name is None or name == key:
        return
    if name in config.models:
        yield ConfigError(
            path, f"'{name}' is also the key of another model, so requests for it would be ambiguous"
        )
    if name in config.virtual_models:
        yield ConfigError(path, f"'{name}' is also a virtual model, so requests for it would be ambiguous")


def _check_model(path: str, name: str, config: Config) -> Iterator[ConfigError]:
    if name not in config.models:
        yield ConfigError(path, f"no model named '{name}'{did_you_mean(name, config.models)}")


def _check_clusters(config: Config) -> Iterator[ConfigError]:
    """Where Envoy's clusters are written here, every model must use one of them."""
    clusters = config.envoy.clusters
    if not clusters:
        return
    for key, model in config.models.items():
        if model.cluster not in clusters:
            hint = did_you_mean(model.cluster, clusters)
            yield ConfigError(
                f"models.{key}.cluster", f"no cluster named '{model.cluster}' in envoy.clusters{hint}"
            )


# ── decisions ─────────────────────────────────────────────────────────────────────────────────


def _check_decisions(config: Config) -> Iterator[ConfigError]:
    names = Counter(decision.name for decision in config.decisions)
    for index, decision in enumerate(config.decisions):
        path = f"decisions[{index}]"
        if decision.name in RESERVED_DECISIONS:
            yield ConfigError(f"{path}.name", f"'{decision.name}' is reserved; choose another name")
        if names[decision.name] > 1:
            yield ConfigError(f"{path}.name", f"more than one decision is named '{decision.name}'")
        yield from check_signals.check_when(decision.when, f"{path}.when", config)
        yield from _check_candidates(path, decision, config)
        yield from check_selection(path, decision, config)
        yield from check_redaction.check(f"{path}.action", decision, config)
        yield from check_changes(path, decision, config)
        yield from _check_floor(f"{path}.cache.similarity_min", decision.cache.similarity_min, config)
        yield from _check_bound(f"{path}.cache", cache_policy_of(config.semantic_cache, decision.cache))
        if decision.cache.mode in ("exact", "semantic") and not config.semantic_cache.enabled:
            yield ConfigError(f"{path}.cache.mode", "semantic_cache.enabled is false, so nothing is cached")


def _check_candidates(path: str, decision: Decision, config: Config) -> Iterator[ConfigError]:
    """The models exist, and are asked for in one way."""
    if decision.model is not None:
        yield from _check_model(f"{path}.model", decision.model, config)
    for index, candidate in enumerate(decision.models):
        name = candidate if isinstance(candidate, str) else candidate.model
        yield from _check_model(f"{path}.models[{index}]", name, config)
    if decision.model is not None and decision.models:
        yield ConfigError(f"{path}.models", "write either model or models, not both")
    names = Counter(candidate.model for candidate in decision.candidates)
    for name, times in names.items():
        if times > 1 and decision.model is None:
            yield ConfigError(f"{path}.models", f"'{name}' is listed twice")
    yield from _check_action(path, decision)


def _check_action(path: str, decision: Decision) -> Iterator[ConfigError]:
    """Either a model answers, or the router itself."""
    action = decision.action
    if action is None or not action.is_local:
        if action is not None and not action.changes_texts:
            yield ConfigError(f"{path}.action", "does nothing: write block, answer, redact or mask")
        if not decision.candidates:
            yield ConfigError(f"{path}.model", "is required: a model, several in models, or an action")
        return
    if action.block is not None and action.answer is not None:
        yield ConfigError(f"{path}.action", "write either block or answer, not both")
    if decision.candidates:
        key = "model" if decision.model is not None else "models"
        yield ConfigError(f"{path}.{key}", "has no effect beside the action, which asks no model")


# ── cache ─────────────────────────────────────────────────────────────────────────────────────


def _check_cache(config: Config) -> Iterator[ConfigError]:
    cache = config.semantic_cache
    if not cache.enabled:
        return
    yield from _check_languages(cache.languages or ())
    yield from _check_bound("semantic_cache", cache_policy_of(cache, DecisionCache()))
    yield from _check_floor("semantic_cache.similarity_threshold", cache.similarity_threshold, config)
    if cache.near.max_bytes < cache.max_answer_bytes:
        yield ConfigError(
            "semantic_cache.near.max_bytes",
            f"must be >= max_answer_bytes ({cache.max_answer_bytes}), got {cache.near.max_bytes}",
        )
    if cache.backend_type == "milvus" and cache.milvus is None and cache.backend_config_path is None:
        yield ConfigError(
            "semantic_cache.backend_config_path",
            "is required with backend_type milvus (or write semantic_cache.milvus instead)",
        )
    if cache.backend_type == "milvus" and cache.milvus is not None:
        yield from _check_milvus(cache.milvus)


def _check_languages(languages: tuple[str, ...]) -> Iterator[ConfigError]:
    known = known_codes()
    for index, code in enumerate(languages):
        if code not in known:
            problem = f"no language '{code}'{did_you_mean(code, known)}; known are {', '.join(known)}"
            yield ConfigError(f"semantic_cache.languages[{index}]", problem)
        elif code in languages[:index]:
            yield ConfigError(f"semantic_cache.languages[{index}]", f"'{code}' is listed twice")


def _check_bound(path: str, policy: CachePolicy) -> Iterator[ConfigError]:
    if policy.max_false_hit_rate is not None and policy.mode == "semantic" and policy.shadow_rate == 0:
        problem = "needs a shadow_rate > 0: without shadow comparisons the rate is unknown"
        yield ConfigError(f"{path}.max_false_hit_rate", problem)


def _check_floor(path: str, similarity: float | None, config: Config) -> Iterator[ConfigError]:
    floor = config.semantic_cache.similarity_floor
    if similarity is not None and similarity < floor:
        yield ConfigError(path, f"must be >= semantic_cache.similarity_floor ({floor:g}), got {similarity:g}")


def _check_milvus(milvus: Milvus) -> Iterator[ConfigError]:
    path, connection = "semantic_cache.milvus.connection", milvus.connection
    auth, tls = connection.auth, connection.tls
    if auth.enabled and not auth.token and not (auth.username and auth.password):
        yield ConfigError(f"{path}.auth", "is enabled, but has neither username and password nor token")
    if tls.enabled and bool(tls.cert_file) != bool(tls.key_file):
        yield ConfigError(f"{path}.tls", "needs both cert_file and key_file, or neither")


# ── limits ────────────────────────────────────────────────────────────────────────────────────


def _check_limits(config: Config) -> Iterator[ConfigError]:
    """No stage may be given more time than Envoy waits for, less the way back."""
    limits = config.limits
    left_s = limits.message_timeout_s - limits.margin_s
    if left_s <= 0:
        yield ConfigError(
            "limits.margin_s",
            f"must be < message_timeout_s ({limits.message_timeout_s:g}), got {limits.margin_s:g}",
        )
        return
    for name in ("signals_timeout_s", "cache_timeout_s"):
        value = getattr(limits, name)
        if value > left_s:
            yield ConfigError(
                f"limits.{name}", f"must be <= message_timeout_s - margin_s ({left_s:g}), got {value:g}"
            )
