"""What fail-over becomes in Envoy's configuration; tests/envoy shows that it does what it says."""

from __future__ import annotations

from typing import Any

import yaml

from router_extproc.config.model import Config
from router_extproc.envoy_config.render import render

POOLS = {"pa": {"endpoints": ["a:1"]}, "pb": {"endpoints": ["b:443"], "tls": True}}


def rendered(**sections: Any) -> dict[str, Any]:
    config = Config.model_validate(
        {
            "version": 1,
            "default_model": "a",
            "models": {"a": {"cluster": "pa", "fallback": "b"}, "b": {"cluster": "pb"}},
            "envoy": {"clusters": POOLS},
            **sections,
        }
    )
    trees = [yaml.load(text, yaml.CSafeLoader) for text in render(config, "include").values()]
    found = {key: value for tree in trees for key, value in tree.items()}
    clusters = {each["name"]: each for each in found["clusters"]}
    routes = {each["name"]: each for each in found["virtual_hosts"][0]["routes"]}
    return {"clusters": clusters, "routes": routes, "filters": found["http_filters"]}


def test_a_route_leads_to_the_pools_one_after_another() -> None:
    found = rendered(failover={"first_byte_timeout_s": 20})
    (name, route), *_ = found["routes"].items()
    assert name == "to pa>pb"
    assert route["match"]["headers"][0]["name"] == "x-router-failover"
    assert route["route"]["cluster"] == "pa>pb"
    policy = route["route"]["retry_policy"]
    assert policy["num_retries"] == 1
    assert policy["per_try_timeout"] == "20s"
    assert policy["retriable_status_codes"] == [429]
    assert {"5xx", "connect-failure", "retriable-status-codes"} <= set(policy["retry_on"].split(","))
    assert route["route"]["auto_host_rewrite"] is True
    assert route["request_body_buffer_limit"] > 1024 * 1024


def test_a_body_is_written_anew_only_for_another_pool_than_its_own() -> None:
    cluster = rendered()["clusters"]["pa>pb"]
    pools = cluster["cluster_type"]["typed_config"]["clusters"]
    assert [each["name"] for each in pools] == ["pa", "pb"]
    (options,) = cluster["typed_extension_protocol_options"].values()
    named, anew, _ = [each["typed_config"] for each in options["http_filters"]]
    (set_pool, remove) = named["mutations"]["request_mutations"]
    assert set_pool["append"]["header"]["key"] == "x-router-cluster"
    assert remove == {"remove": "x-router-failover"}
    (row,) = anew["xds_matcher"]["matcher_list"]["matchers"]
    assert row["predicate"]["single_predicate"]["value_match"] == {"exact": "pa"}
    assert "failure_mode_allow" not in anew["extension_config"]["typed_config"]


def test_each_endpoint_says_whose_it_is() -> None:
    (group,) = rendered()["clusters"]["pb"]["load_assignment"]["endpoints"]
    metadata = group["lb_endpoints"][0]["metadata"]["filter_metadata"]
    assert metadata == {"router_extproc": {"cluster": "pb"}}


def test_what_nobody_decided_goes_to_the_fallbacks_as_it_is() -> None:
    """But not where an answer means nothing beside those of another model: vectors."""
    found = rendered()
    inference = found["routes"]["inference /v1/chat/completions"]["route"]["cluster"]
    assert inference == "unread>pa>pb"
    assert found["routes"]["inference by name 1"]["route"]["cluster"] == "pa"
    assert found["clusters"][inference]["cluster_type"]["typed_config"]["clusters"] == ["pa", "pb"]
    assert "typed_extension_protocol_options" not in found["clusters"][inference]


def test_only_the_reasons_that_are_given_count() -> None:
    assert _policy(failover={"on": ["rate_limited"]})["retry_on"] == "retriable-status-codes"
    assert "retriable_status_codes" not in _policy(failover={"on": ["refused"]})


def test_the_longest_time_of_the_pools_counts_and_one_without_any_has_no_end() -> None:
    slow = {
        "pa": {**POOLS["pa"], "first_byte_timeout_s": 5},
        "pb": {**POOLS["pb"], "first_byte_timeout_s": 9},
    }
    assert _policy(envoy={"clusters": slow})["per_try_timeout"] == "9s"
    assert "per_try_timeout" not in _policy(envoy={"clusters": {**slow, "pa": POOLS["pa"]}})


def test_nothing_of_it_is_there_when_it_is_off() -> None:
    found = rendered(failover=False)
    assert set(found["clusters"]) == {"router_extproc", "pa", "pa_grpc", "pb"}
    assert not [route for route in found["routes"].values() if "request_body_buffer_limit" in route]
    assert "metadata" not in str(found["clusters"]["pa"])


def test_the_inline_filter_is_told_who_answered() -> None:
    inline = rendered(envoy={"clusters": POOLS, "profile": "inline"})["filters"][-1]["typed_config"]
    assert inline["metadata_options"]["forwarding_namespaces"] == {"untyped": ["router_extproc"]}


def _policy(**sections: Any) -> Any:
    return rendered(**sections)["routes"]["to pa>pb"]["route"]["retry_policy"]
