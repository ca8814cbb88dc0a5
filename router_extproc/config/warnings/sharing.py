"""Warnings of scopes: one person's answers for all, names that clients may choose, nobody who shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.cache.decision_policy import CachePolicy
from router_extproc.cache.ignore import UnfitPattern, check_pattern, has_fixed_words
from router_extproc.cache.scope import CREDENTIALS, SharedScope
from router_extproc.config.check_headers import scopes_of
from router_extproc.config.check_ignore import patterns_of
from router_extproc.config.decisions import Decision, ScopeFields
from router_extproc.config.translate_cache import cache_policy_of
from router_extproc.config.warnings.base import ConfigWarning, Subject
from router_extproc.errors import ConfigError
from router_extproc.routing.rules import read_rule

#: Signals of what is one person's: what a gateway says of the client, and what people write of themselves.
_PERSONAL: Final = frozenset({"claim", "header", "pii"})


def warn_of_shared_persons(subject: Subject) -> Iterator[ConfigWarning]:
    """Decisions for what is of one person, whose answers everybody shares."""
    for index, decision in enumerate(subject.config.decisions):
        policy = _policy(subject, decision)
        if policy.mode == "off" or not isinstance(policy.scope, SharedScope):
            continue
        personal = [name for name in _asked_for(decision) if _is_personal(subject, name)]
        if personal:
            problem = (
                f"takes requests by {', '.join(personal)}, which is of one person, and everybody shares its"
                " answers; write mode: off, or a scope by what tells people apart"
            )
            yield ConfigWarning(f"decisions[{index}].cache", problem)


def _is_personal(subject: Subject, name: str) -> bool:
    signal = subject.config.signals.get(name)
    return signal is not None and signal.type in _PERSONAL


def _asked_for(decision: Decision) -> list[str]:
    """Signals whose label the rule wants; one that must have none keeps such requests away."""
    try:
        tests = read_rule(decision.when).tests()
    except ConfigError:
        return []
    return sorted({test.signal for test in tests if test.present})


def warn_of_forged_names(subject: Subject) -> Iterator[ConfigWarning]:
    """A scope by what any client may write, without a credential beside it."""
    guaranteed = {name.lower() for name in (*CREDENTIALS, *subject.config.envoy.strip_headers, ":authority")}
    for path, scope in scopes_of(subject.config):
        names = [] if scope.headers is None else [name.lower() for name in scope.headers]
        if scope.headers is None or guaranteed.intersection(names):
            continue
        yield ConfigWarning(path, _forged(scope))


def _forged(scope: ScopeFields) -> str:
    if not scope.headers:
        return (
            "any client may write another's name into its body; add the headers of its credentials, or share"
            " the scope if all may see all"
        )
    names = ", ".join(f"'{name}'" for name in scope.headers)
    return (
        f"any client may send another's {names}: let an authentication filter of Envoy set it and name it in"
        " envoy.strip_headers, or add the header of a credential"
    )


def warn_of_no_scope(subject: Subject) -> Iterator[ConfigWarning]:
    """Nobody has said who shares: without credentials the cache does nothing."""
    config = subject.config
    cache = config.semantic_cache
    said = cache.model_fields_set | {
        name for decision in config.decisions for name in decision.cache.model_fields_set
    }
    if not cache.enabled or "scope" in said or config.envoy.strip_headers:
        return
    problem = (
        "is not written: requests without a credential (Authorization, x-api-key, a cookie ...) are not"
        " cached. If your clients send none, write shared, or the header that tells them apart; else write"
        " credentials"
    )
    yield ConfigWarning("semantic_cache.scope", problem)


def warn_of_loose_patterns(subject: Subject) -> Iterator[ConfigWarning]:
    """Patterns that may fit what means something, as the date of a law."""
    for path, patterns in patterns_of(subject.config):
        for index, pattern in enumerate(patterns):
            if not has_fixed_words(pattern) and _is_fit(pattern):
                problem = "has no fixed word, nor ^ or $: it fits any such figure in a system prompt"
                yield ConfigWarning(f"{path}[{index}]", problem)


def _is_fit(pattern: str) -> bool:
    try:
        check_pattern(pattern)
    except UnfitPattern:
        return False
    return True


def _policy(subject: Subject, decision: Decision) -> CachePolicy:
    return cache_policy_of(subject.config.semantic_cache, decision.cache)
