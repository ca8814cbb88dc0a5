"""Warnings of the semantic cache: answers to the wrong people, and settings that do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.cache.decision_policy import CachePolicy
from router_extproc.config.decisions import Decision, DecisionCache
from router_extproc.config.model import Config, NearTier
from router_extproc.config.translate_cache import SEMANTIC_ONLY, cache_policy_of
from router_extproc.config.warnings.base import ConfigWarning, Subject

#: On Quora's pairs, half of what is this near by MiniLM's cosine means something else.
THRESHOLD_LOW: Final = 0.5
_REPLACES: Final = "this decision's action redacts or masks, so nothing of it is cached"
_LEFT_OUT: Final = frozenset({"mode"})


def warn_of_sharing(subject: Subject) -> Iterator[ConfigWarning]:
    """Answers that everybody shares without a model that verifies them."""
    cache = subject.config.semantic_cache
    if not cache.enabled or cache.verifier != "guards":
        return
    for path, own in _caches(subject.config):
        scope = cache.scope if own.scope is None else own.scope
        is_here = own.scope is not None or path == "semantic_cache"
        if scope == "shared" and is_here and _policy(subject, own).mode == "semantic":
            problem = (
                "everybody shares answers that no model verifies, so a client may get the answer to"
                " somebody else's question; write verifier: model, or a scope by headers"
            )
            yield ConfigWarning(f"{path}.scope", problem)


def warn_of_useless_cache(subject: Subject) -> Iterator[ConfigWarning]:
    """A cache that is set up and never used."""
    config = subject.config
    cache = config.semantic_cache
    if not cache.enabled:
        if subject.is_written("semantic_cache") and not subject.is_written("semantic_cache.enabled"):
            yield ConfigWarning(
                "semantic_cache", "is off, so its settings have no effect: write enabled: true"
            )
        return
    if config.workers > 1 and cache.backend_type == "memory":
        problem = (
            f"each of the {config.workers} workers has its own cache, so one in {config.workers} repeated"
            " requests finds its answer; write backend_type: milvus"
        )
        yield ConfigWarning("semantic_cache.backend_type", problem)
    if config.decisions and all(decision.cache.mode == "off" for decision in config.decisions):
        problem = "every decision switches it off: only what matches no decision, or names a model, is cached"
        yield ConfigWarning("semantic_cache.enabled", problem)


def warn_of_thresholds(subject: Subject) -> Iterator[ConfigWarning]:
    """Similarities that let everything through, or nothing; shadow rates that leave no hit."""
    if not subject.config.semantic_cache.enabled:
        return
    for path, own in _caches(subject.config):
        policy = _policy(subject, own)
        if policy.mode != "semantic":
            continue
        key = "similarity_threshold" if path == "semantic_cache" else "similarity_min"
        yield from _warn_of_similarity(f"{path}.{key}", policy, subject)
        if policy.shadow_rate == 1 and subject.is_written(f"{path}.shadow_rate"):
            problem = "every semantic hit is sent to the pool anyway, so semantic hits save nothing"
            yield ConfigWarning(f"{path}.shadow_rate", problem)


def _warn_of_similarity(path: str, policy: CachePolicy, subject: Subject) -> Iterator[ConfigWarning]:
    if not subject.is_written(path):
        return
    if policy.similarity_min >= 1:
        yield ConfigWarning(path, "only the same text reaches 1: write cache mode exact, or about 0.8")
    elif policy.similarity_min < THRESHOLD_LOW:
        problem = (
            f"{policy.similarity_min:g} makes nearly every question a neighbour: each lookup costs a"
            " verification, and only verification prevents false hits; about 0.8 is usual"
        )
        yield ConfigWarning(path, problem)


def warn_of_decisions(subject: Subject) -> Iterator[ConfigWarning]:
    """Settings of a decision's cache that nothing follows."""
    for index, decision in enumerate(subject.config.decisions):
        path, own = f"decisions[{index}].cache", decision.cache
        given = [key for key in own.model_fields_set - _LEFT_OUT if getattr(own, key) is not None]
        why = _why_unused(decision, subject.config)
        if decision.action is not None and decision.action.changes_texts and own.mode not in {None, "off"}:
            yield ConfigWarning(f"{path}.mode", f"has no effect: {_REPLACES}")
        for key in sorted(given):
            if why is not None:
                yield ConfigWarning(f"{path}.{key}", f"has no effect: {why}")
            elif own.mode == "exact" and key in SEMANTIC_ONLY:
                yield ConfigWarning(f"{path}.{key}", "has no effect: this decision's cache has mode exact")


def _why_unused(decision: Decision, config: Config) -> str | None:
    if not config.semantic_cache.enabled:
        return "semantic_cache.enabled is false"
    own = decision.cache
    if decision.action is not None and decision.action.changes_texts:
        return _REPLACES
    return "this decision's cache has mode off" if own.mode == "off" else None


def warn_of_lifetimes(subject: Subject) -> Iterator[ConfigWarning]:
    """Answers that are gone before their time, or before anybody could ask for them."""
    cache = subject.config.semantic_cache
    if not cache.enabled:
        return
    kept_s = None if cache.milvus is None else cache.milvus.collection.ttl_seconds
    for path, own in _caches(subject.config):
        policy = _policy(subject, own)
        here = f"{path}.ttl_seconds" if path == "semantic_cache" else f"{path}.ttl_s"
        if policy.mode == "off" or (path != "semantic_cache" and own.ttl_s is None):
            continue
        if kept_s is not None and cache.backend_type == "milvus" and policy.ttl_s > kept_s:
            problem = f"{policy.ttl_s:g} s, but Milvus drops rows after {kept_s} s (collection.ttl_seconds)"
            yield ConfigWarning(here, problem)
        if cache.coalescing.enabled and policy.ttl_s < cache.coalescing.wait_s:
            problem = (
                f"{policy.ttl_s:g} s is shorter than coalescing.wait_s ({cache.coalescing.wait_s:g} s): an"
                " answer may expire while requests wait for it"
            )
            yield ConfigWarning(here, problem)


def warn_of_room(subject: Subject) -> Iterator[ConfigWarning]:
    """Bounds that one answer fills."""
    cache = subject.config.semantic_cache
    if not cache.enabled:
        return
    in_memory = cache.backend_type == "memory"
    path = "semantic_cache.max_entries" if in_memory else "semantic_cache.near.max_entries"
    entries = cache.max_entries if in_memory else cache.near.max_entries
    if entries * cache.near.scope_share_max < 1:
        yield ConfigWarning(path, _too_small(f"{entries}", cache.near))
    share_bytes = cache.near.max_bytes * cache.near.scope_share_max
    if cache.max_answer_bytes <= cache.near.max_bytes and share_bytes < cache.max_answer_bytes:
        problem = f"{_too_small(f'{cache.near.max_bytes}', cache.near)} of max_answer_bytes"
        yield ConfigWarning("semantic_cache.near.max_bytes", problem)


def _too_small(bound: str, near: NearTier) -> str:
    return (
        f"a scope's share of {bound} (near.scope_share_max {near.scope_share_max:g}) cannot hold one answer"
    )


def _caches(config: Config) -> Iterator[tuple[str, DecisionCache]]:
    """The cache's own settings, then those of each decision, with their paths."""
    yield "semantic_cache", DecisionCache()
    for index, decision in enumerate(config.decisions):
        yield f"decisions[{index}].cache", decision.cache


def _policy(subject: Subject, own: DecisionCache) -> CachePolicy:
    return cache_policy_of(subject.config.semantic_cache, own)
