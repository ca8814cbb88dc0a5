"""What the keys of a pool become in Envoy's configuration; tests/envoy shows that it does what it says."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from router_extproc.config.model import Config
from router_extproc.envoy_config.read_paths import read_paths
from router_extproc.envoy_config.render import render


def rendered(
    clusters: dict[str, Any], *, envoy: dict[str, Any] | None = None, **models: Any
) -> dict[str, Any]:
    config = Config.model_validate(
        {
            "version": 1,
            "default_model": "small",
            "models": models or {"small": {"cluster": "pool"}},
            "envoy": {"clusters": clusters, **(envoy or {})},
        }
    )
    files = render(config, "include")
    trees = [yaml.load(text, yaml.CSafeLoader) for text in files.values()]
    return {key: value for tree in trees for key, value in tree.items()}


def pool(**keys: Any) -> dict[str, Any]:
    found = rendered({"pool": {"endpoints": ["10.0.0.1:8000", "vllm.test:8000"], **keys}})
    (cluster,) = [each for each in found["clusters"] if each["name"] == "pool"]
    routes = [each["route"] for each in found["virtual_hosts"][0]["routes"] if "route" in each]
    return {**cluster, "routes": routes}


def test_every_pool_is_checked_and_never_asked_in_panic() -> None:
    found = pool()
    (check,) = found["health_checks"]
    assert check["http_health_check"]["path"] == "/health"
    assert check["no_traffic_interval"] == check["interval"] == "1s"
    assert found["common_lb_config"]["healthy_panic_threshold"] == {}  # 0 percent
    hosts = [
        member["endpoint"]["health_check_config"]["hostname"]
        for member in found["load_assignment"]["endpoints"][0]["lb_endpoints"]
    ]
    assert hosts == ["10.0.0.1:8000", "vllm.test:8000"]


def test_each_of_them_can_be_switched_off() -> None:
    found = pool(health=False, retries=False, outliers=False)
    assert not {"health_checks", "outlier_detection"} & set(found)
    assert not [route for route in found["routes"] if "retry_policy" in route]


def test_only_what_was_not_sent_is_retried_on_every_route() -> None:
    policies = [route["retry_policy"] for route in pool(retries=1)["routes"]]
    assert len(policies) == 4 + len(read_paths())
    assert {policy["retry_on"] for policy in policies} == {
        "connect-failure,refused-stream,reset-before-request"
    }
    assert {policy["num_retries"] for policy in policies} == {1}


@pytest.mark.parametrize("retries", [False, 2])
def test_a_first_byte_timeout_retries_nothing(retries: object) -> None:
    for route in pool(retries=retries, first_byte_timeout_s=20)["routes"]:
        policy = route["retry_policy"]
        assert policy["per_try_timeout"] == "20s"
        assert "5xx" not in policy.get("retry_on", "")
        assert route["timeout"] == "0s"


def test_the_first_byte_timeout_of_all_pools_is_that_of_each_without_its_own() -> None:
    clusters = {"pool": {"endpoints": ["a:1"]}, "own": {"endpoints": ["b:1"], "first_byte_timeout_s": 5}}
    models = {"small": {"cluster": "pool"}, "large": {"cluster": "own"}, "other": {"cluster": "theirs"}}
    found = rendered(clusters, envoy={"first_byte_timeout_s": 20}, **models)["virtual_hosts"][0]["routes"]
    actions = [each["route"] for each in found if "route" in each]
    times = {each["cluster"]: each["retry_policy"]["per_try_timeout"] for each in actions}
    assert times == {"pool": "20s", "pool_grpc": "20s", "own": "5s", "theirs": "20s"}


def test_clusters_of_somebody_else_get_the_retries_too() -> None:
    """Their health checks are their operator's to write."""
    routes = rendered({})["virtual_hosts"][0]["routes"]
    assert all("retry_policy" in each["route"] for each in routes if "route" in each)


def test_a_cluster_that_is_none_of_ours_is_refused_after_all_of_ours() -> None:
    models = {"small": {"cluster": "pool"}, "large": {"cluster": "other"}}
    names = [each["name"] for each in rendered({}, **models)["virtual_hosts"][0]["routes"]]
    nowhere = [name for name in names if name.startswith(("undecided", "unknown cluster"))]
    assert {"undecided", "unknown cluster"} <= {*nowhere}
    assert names[: 2 + len(nowhere)] == ["to pool", "to other", *nowhere]
    assert nowhere[-1] == "unknown cluster"
