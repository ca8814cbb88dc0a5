"""The configuration as one value."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from router_extproc.cache.ignore import IgnoreRule
from router_extproc.cache.scope import CREDENTIALS, ClientScope, SharedScope
from router_extproc.config.model import Config
from router_extproc.config.router_policy import StageLimits
from router_extproc.config.translate import router_policy_of
from router_extproc.pipeline.conversations import SessionNames

Read = Callable[..., Config]

TEXT = """\
version: 1
default_model: small
models:
  small: {cluster: vllm_small}
  large: {cluster: vllm_large, fallback: small, cost: {input_per_mtok: 1.0, output_per_mtok: 2.0}}
signals:
  tier: {type: header, header: X-Tier}
  team: {type: header, header: X-Team}
  attack: {type: guard}
decisions:
  - {name: gold, priority: 1, when: {not: {tier: free}}, model: large, cache: {scope: shared}}
semantic_cache: {enabled: true, scope: {headers: [X-User]}}
limits: {message_timeout_s: 0.5, margin_s: 0.1}
"""


def test_only_signals_that_some_decision_looks_at_are_in_it(read: Read) -> None:
    """Others are neither opened nor read: they can change nothing."""
    policy = router_policy_of(read(TEXT))
    assert list(policy.signals) == ["tier"]
    assert policy.key_signals == {"tier"}
    assert not policy.needs_encoder


def test_a_signal_deep_in_a_rule_is_in_it(read: Read) -> None:
    deep = TEXT.replace("{not: {tier: free}}", "{any: [{not: {all: [{attack: false}]}}, {team: true}]}")
    policy = router_policy_of(read(deep))
    assert list(policy.signals) == ["team", "attack"]
    assert policy.needs_encoder


def test_each_decision_has_one_cache_policy_with_its_scope(read: Read) -> None:
    policies = router_policy_of(read(TEXT)).cache_policies
    gold, default = policies.of("gold"), policies.of("default")
    assert gold is not None
    assert default is not None
    assert (gold.scope, default.scope) == (SharedScope(), ClientScope(("x-user",)))


def test_a_decision_has_its_model_as_its_only_candidate(read: Read) -> None:
    route = router_policy_of(read(TEXT)).routing.decide({})
    assert (route.decision, route.target.model, route.fallback) == ("gold", "large", None)


def test_other_limits_make_another_policy_and_nothing_else(read: Read) -> None:
    policy = router_policy_of(read(TEXT))
    assert policy.limits.budget_s == 0.4
    patient = policy.with_limits(StageLimits.patient(10))
    assert patient.limits == StageLimits(10, 10, 5, 5)
    assert patient.routing is policy.routing
    assert patient.cache_policies is policy.cache_policies


@pytest.mark.parametrize(
    ("scope", "headers", "body"),
    [
        ("credentials", (*CREDENTIALS, "x-user"), ()),
        ("{body: [metadata.user_id, user]}", (*CREDENTIALS, "x-user"), (("metadata", "user_id"), ("user",))),
        ("{headers: [X-Team, authorization]}", ("authorization", "x-team"), ()),
        ("{headers: [], body: [user]}", (), (("user",),)),
    ],
)
def test_a_scope_has_the_usual_credentials_and_what_only_envoy_sets(
    read: Read, scope: str, headers: tuple[str, ...], body: tuple[tuple[str, ...], ...]
) -> None:
    text = (
        "version: 1\ndefault_model: small\nmodels: {small: {cluster: a}}\n"
        "envoy: {strip_headers: [X-User, x-request-id, connection]}\n"
        f"semantic_cache: {{enabled: true, scope: {scope}, ignore: ['It is 12']}}\n"
    )
    policy = router_policy_of(read(text)).cache_policies.of("default")
    assert policy is not None
    assert policy.scope == ClientScope(tuple(sorted(headers)), body)
    assert policy.ignore == IgnoreRule(("It is 12",))


@pytest.mark.parametrize(("ttl_s", "expected"), [("0", 0.0), ("30", 30.0), ("off", None)])
def test_the_cache_knows_for_how_long_to_reuse_what_is_true_only_now(
    read: Read, ttl_s: str, expected: float | None
) -> None:
    config = read(TEXT.replace("{enabled: true,", f"{{enabled: true, volatile_ttl_s: {ttl_s},"))
    assert router_policy_of(config).cache.reuse.volatile_ttl_s == expected


def test_what_is_true_only_now_is_not_reused_unless_told(read: Read) -> None:
    assert router_policy_of(read(TEXT)).cache.reuse.volatile_ttl_s == 0.0


@pytest.mark.parametrize(
    ("kept", "reused"), [("", False), (" kept_answers: bypass,", False), (" kept_answers: reuse,", True)]
)
def test_answers_that_a_pool_may_keep_are_reused_where_an_operator_says_that_none_does(
    read: Read,
    kept: str,
    reused: bool,  # noqa: FBT001 - a table
) -> None:
    config = read(TEXT.replace("{enabled: true,", "{enabled: true," + kept))
    assert router_policy_of(config).cache.reuse.reuses_kept is reused


def test_a_signal_that_only_the_cache_asks_is_in_it(read: Read) -> None:
    config = read(TEXT.replace("{enabled: true,", "{enabled: true, bypass_when: {team: true},"))
    assert list(router_policy_of(config).signals) == ["tier", "team"]


def test_signals_that_hang_on_no_text_are_told_apart(read: Read) -> None:
    """Of a prompt in tokens they are read whole."""
    rule = "{not: {any: [{tier: free}, {team: true}, {attack: true}]}}"
    policy = router_policy_of(read(TEXT.replace("{not: {tier: free}}", rule)))
    assert policy.text_signals == {"attack"}


def test_sessions_are_read(read: Read) -> None:
    assert router_policy_of(read(TEXT)).session_idle_s == 900
    policy = router_policy_of(read(f"{TEXT}sessions: {{headers: [X-Session-ID], idle_s: 60}}\n"))
    assert (policy.session_names, policy.session_idle_s) == (SessionNames(("x-session-id",)), 60)
    policy = router_policy_of(read(f"{TEXT}sessions: {{by_claim: sid, claim_header: X-Payload}}\n"))
    assert policy.session_names == SessionNames((), "sid", "x-payload")


def test_a_claim_in_a_header_that_never_comes_is_told(problems: Callable[[str], list[str]]) -> None:
    found = problems("sessions: {by_claim: sid, claim_header: connection}\n")
    assert any(each.startswith("sessions.claim_header: ") for each in found)


@pytest.mark.parametrize("idle_s", ["0", "-1", "86401", ".nan", ".inf", "soon"])
def test_a_silence_that_is_none_is_told(idle_s: str, problems: Callable[[str], list[str]]) -> None:
    assert any(
        found.startswith("sessions.idle_s: ") for found in problems(f"sessions: {{idle_s: {idle_s}}}\n")
    )
