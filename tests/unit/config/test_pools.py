# ruff: noqa: E501 - tables read best with one case in a line
from __future__ import annotations

import pytest

from router_extproc.config.envoy_digest import envoy_digest
from router_extproc.config.pools import PoolHealth, PoolRetries
from router_extproc.config.translate import router_policy_of

from .conftest import SMALLEST, Problems, Read

THREE = """\
version: 1
default_model: a
models:
  a: {cluster: pool_a%s}
  b: {cluster: pool_b%s}
  c: {cluster: %s}
"""
POOL = "envoy: {clusters: {vllm_small: {endpoints: ['a:1'], %s}}}\n"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("health: false", False),
        ("health: true", PoolHealth()),
        ("health: {path: /up, interval_s: 5}", PoolHealth(path="/up", interval_s=5)),
        ("retries: false", False),
        ("retries: 0", False),
        ("retries: true", PoolRetries()),
        ("retries: 3", PoolRetries(attempts=3)),
        ("retries: {attempts: 1}", PoolRetries(attempts=1)),
    ],
)
def test_the_short_forms(read: Read, key: str, value: object) -> None:
    pool = read(SMALLEST + POOL % key).envoy.clusters["vllm_small"]
    assert getattr(pool, key.partition(":")[0]) == value


def test_checks_retries_and_outliers_are_on_unless_they_are_switched_off(read: Read) -> None:
    pool = read(SMALLEST + "envoy: {clusters: {vllm_small: {endpoints: ['a:1']}}}\n").envoy.clusters[
        "vllm_small"
    ]
    assert (pool.health, pool.retries, pool.outliers) == (PoolHealth(), PoolRetries(), True)
    assert pool.first_byte_timeout_s is None


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("health: {path: up}", "health.path: must match"),
        ("health: {every_s: 1}", "health.every_s: unknown key"),
        ("health: {interval_s: 0}", "health.interval_s: must be >= 0.1, got 0"),
        ("health: no_such", "health: "),
        ("retries: -1", "retries: must be a mapping (key: value) or must be False, got -1"),
        ("retries: {attempts: 99}", "retries.attempts: must be <= 10, got 99"),
        ("first_byte_timeout_s: 0", "first_byte_timeout_s: must be > 0.0, got 0"),
        (
            "first_byte_timeout_s: 601",
            "first_byte_timeout_s: must be <= envoy.stream_idle_timeout_s (600), which ends a silent request first, got 601",
        ),
    ],
)
def test_what_is_no_setting_of_a_pool_is_refused_with_its_path(
    problems: Problems, key: str, problem: str
) -> None:
    found = problems(POOL % key)
    assert any(line.startswith("envoy.clusters.vllm_small.") and problem in line for line in found), found


def test_the_first_byte_of_every_pool_cannot_take_longer_than_a_pause(problems: Problems) -> None:
    (found,) = problems("envoy: {first_byte_timeout_s: 9, stream_idle_timeout_s: 8}\n")
    assert found.startswith("envoy.first_byte_timeout_s: must be <= envoy.stream_idle_timeout_s (8)")


@pytest.mark.parametrize(
    ("a", "b", "c", "problem"),
    [
        (", fallback: d", "", "pool_c", "models.a.fallback: no model named 'd'"),
        (", fallback: a", "", "pool_c", "models.a.fallback: is the model itself: name another one"),
        (
            ", fallback: b",
            ", fallback: a",
            "pool_c",
            "models.a.fallback: is circular: a -> b -> a",
        ),
        (
            ", fallback: c",
            "",
            "pool_a",
            "models.a.fallback: 'c' is in the same cluster 'pool_a', so both are down at the same time",
        ),
    ],
)
def test_fallbacks_that_cannot_help_are_refused(read: Read, a: str, b: str, c: str, problem: str) -> None:
    with pytest.raises(Exception, match="fallback") as refused:
        read(THREE % (a, b, c))
    assert problem in str(refused.value)


def test_a_chain_of_fallbacks_is_fine(read: Read) -> None:
    assert read(THREE % (", fallback: b", ", fallback: c", "pool_c")).models["a"].fallback == "b"


def test_usage_that_a_client_did_not_ask_for_can_be_hidden_in_one_profile_only(read: Read) -> None:
    """In the other the client would see it, and fail on an event without choices."""
    inline = THREE % (", ask_usage: true", "", "pool_c") + "envoy: {profile: inline}\n"
    targets = router_policy_of(read(inline)).catalogue.targets
    assert [targets[key].asks_usage for key in "abc"] == [True, False, False]
    with pytest.raises(Exception, match=r"models\.a\.ask_usage: needs envoy\.profile: inline"):
        read(THREE % (", ask_usage: true", "", "pool_c"))


BASE = SMALLEST + POOL % "tls: false"


@pytest.mark.parametrize(
    "other",
    [
        BASE.replace("vllm_small", "vllm_other"),
        BASE.replace("a:1", "b:1"),
        BASE + "limits: {max_body_bytes: 2048}\n",
        BASE + "limits: {message_timeout_s: 1}\n",
        BASE.replace("envoy: {", "envoy: {profile: inline, "),
        BASE.replace("envoy: {", "envoy: {strip_headers: [x-user], "),
    ],
)
def test_what_envoy_and_the_server_must_agree_on_changes_the_digest(read: Read, other: str) -> None:
    assert envoy_digest(read(other)) != envoy_digest(read(BASE))


@pytest.mark.parametrize(
    "other",
    [
        BASE.replace("cluster: vllm_small", "cluster: vllm_small, served_name: x, cost: {input_per_mtok: 1}"),
        BASE.replace("tls: false", "retries: false, health: false, first_byte_timeout_s: 9"),
        BASE + "admin: 127.0.0.1:9999\n",
        BASE + "telemetry: {log_level: debug}\n",
        BASE + "decisions: [{name: a, model: small}]\n",
    ],
)
def test_what_may_differ_without_harm_leaves_the_digest_alone(read: Read, other: str) -> None:
    assert envoy_digest(read(other)) == envoy_digest(read(BASE))
