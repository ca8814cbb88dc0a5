"""What the cache may do, by the name of a decision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.cache.decision_policy import CachePolicies, CachePolicy, KeyRule
from router_extproc.cache.scope import ClientScope, SharedScope

DEFAULT = CachePolicy("semantic", 0.8, 3600, store_tool_calls=False)
SHARED = replace(DEFAULT, scope=SharedScope())
POLICIES = CachePolicies(DEFAULT, {"faq": SHARED, "maths": replace(DEFAULT, mode="exact")})


def test_each_decision_has_its_own() -> None:
    assert POLICIES.of("faq") == SHARED


@pytest.mark.parametrize("name", ["default", "pinned"])
def test_what_no_decision_took_has_the_default(name: str) -> None:
    assert POLICIES.of(name) == DEFAULT


def test_a_decision_that_is_gone_has_none() -> None:
    """An entry stored under it must not be replayed."""
    assert POLICIES.of("law") is None


@pytest.mark.parametrize("name", ["maths", "default", "law", None])
def test_the_scope_is_the_defaults_where_nothing_else_is_said(name: str | None) -> None:
    assert POLICIES.scope_of(name) == ClientScope()


def test_a_decisions_own_scope_is_found() -> None:
    assert POLICIES.scope_of("faq") == SharedScope()


def test_every_rule_for_keys_is_there_once_the_defaults_first() -> None:
    assert POLICIES.key_rules == (KeyRule(ClientScope()), KeyRule(SharedScope()))
