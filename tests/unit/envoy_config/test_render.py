from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import yaml

from router_extproc.address import worker_address
from router_extproc.config.envoy_digest import envoy_digest
from router_extproc.config.model import Coalescing, Config, SemanticCache
from router_extproc.dialects import DIALECTS, INFERENCE_PATHS, find_dialect
from router_extproc.dialects.endpoints import inference_endpoints
from router_extproc.dialects.routed import ROUTED_PATHS, find_routed
from router_extproc.envoy_config.filters import all_but
from router_extproc.envoy_config.read_paths import PATTERN_CHARS_MAX, read_paths
from router_extproc.envoy_config.reasons import REASONS
from router_extproc.envoy_config.render import What, render
from router_extproc.protocol.modes import Role

MIB = 1024 * 1024
CERTIFICATE = {"cert_file": "/cert.pem", "key_file": "/key.pem"}
OFF = Coalescing(enabled=False)


def config(*, workers: int = 1, listen: str = "unix:/run/r/{worker}.sock", **envoy: Any) -> Config:
    return Config.model_validate(
        {
            "version": 1,
            "listen": listen,
            "workers": workers,
            "default_model": "small",
            "models": {
                "small": {"cluster": "pool_s"},
                "large": {"cluster": "pool_l"},
                "other": {"cluster": "pool_l"},
            },
            "limits": {"max_body_bytes": 2 * MIB, "message_timeout_s": 0.35},
            "semantic_cache": {"enabled": True, "coalescing": {"wait_s": 3.0}},
            "envoy": {
                "admin": "127.0.0.1:9901",
                "clusters": {
                    "pool_s": {"endpoints": ["10.0.0.1:1", "10.0.0.2:1"]},
                    "pool_l": {"endpoints": ["pools.test:443"], "tls": True, "first_byte_timeout_s": 60},
                },
                **envoy,
            },
        }
    )


OLD = config(compatible_headers="vllm-sr")


def whole(wanted: Config) -> dict[str, Any]:
    return loaded(rendered(wanted.model_dump_json())["bootstrap.yaml"])


@cache
def rendered(config_json: str, what: What | None = "bootstrap") -> dict[str, str]:
    """Once for each configuration: it takes half a second."""
    return render(Config.model_validate_json(config_json), what)


@cache
def loaded(text: str) -> dict[str, Any]:
    tree: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    return tree


def manager(wanted: Config) -> dict[str, Any]:
    listener = whole(wanted)["static_resources"]["listeners"][0]
    found: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def filters(wanted: Config) -> dict[str, dict[str, Any]]:
    """By name; of a filter inside a matcher, the filter."""
    found = {each["name"]: each["typed_config"] for each in manager(wanted)["http_filters"]}
    return {
        name: one.get("extension_config", {"typed_config": one})["typed_config"]
        for name, one in found.items()
    }


def routes(wanted: Config) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = manager(wanted)["route_config"]["virtual_hosts"][0]["routes"]
    return found


def clusters(wanted: Config) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in whole(wanted)["static_resources"]["clusters"]}


def sockets(cluster: dict[str, Any]) -> list[str]:
    members = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    addresses = [each["endpoint"]["address"] for each in members]
    return [
        f"unix:{each['pipe']['path']}"
        if "pipe" in each
        else "{address}:{port_value}".format(**each["socket_address"])
        for each in addresses
    ]


def test_the_body_limit_is_one_number() -> None:
    limit = 2 * MIB
    assert filters(config())["router.buffer"]["max_request_bytes"] == limit
    by_name = {route["name"]: route for route in routes(config())}
    for path in INFERENCE_PATHS:
        oversize, inference = by_name[f"too large {path}"], by_name[f"inference {path}"]
        assert oversize["match"]["headers"][1]["range_match"]["start"] == str(limit + 1)
        buffered = inference["typed_per_filter_config"]["router.buffer"]["buffer"]
        assert buffered["max_request_bytes"] == limit


def test_the_message_timeout_is_the_configurations() -> None:
    assert filters(config())["router.decide"]["message_timeout"] == "0.350s"


def test_every_filter_that_a_request_waits_for_fails_open() -> None:
    for profile in ("split", "inline"):
        ext_proc = [each for each in filters(config(profile=profile)).values() if "grpc_service" in each]
        assert all(each["failure_mode_allow"] for each in ext_proc)


@pytest.mark.parametrize(("profile", "roles"), [("split", ["decide", "observe"]), ("inline", ["inline"])])
def test_every_stream_tells_its_role(profile: str, roles: list[str]) -> None:
    found = [each for each in filters(config(profile=profile)).values() if "grpc_service" in each]
    told = [{each["key"]: each["value"] for each in one["grpc_service"]["initial_metadata"]} for one in found]
    digest = envoy_digest(config(profile=profile))
    assert told == [{"x-router-role": role, "x-router-config": digest} for role in roles]
    assert {Role(role) for role in roles} <= set(Role)


def test_only_pools_of_the_configuration_can_be_chosen_and_each_once() -> None:
    chosen = [route for route in routes(config()) if route["name"].startswith("to ")]
    assert [route["route"]["cluster"] for route in chosen] == ["pool_s", "pool_l"]
    for route in chosen:
        (header,) = route["match"]["headers"]
        assert header == {"name": "x-router-cluster", "string_match": {"exact": route["route"]["cluster"]}}


def test_every_dialect_has_its_routes() -> None:
    """A dialect whose paths are not rendered would never be asked."""
    matches = [route["match"] for route in routes(config()) if route["name"].startswith("inference ")]
    for dialect in DIALECTS.values():
        endpoints = inference_endpoints(dialect)
        assert endpoints
        for path in [endpoint.path for endpoint in endpoints]:
            patterns = [match["safe_regex"]["regex"] for match in matches]
            assert any(re.fullmatch(pattern, path) for pattern in patterns)
        assert all(find_dialect("POST", endpoint.path) is dialect for endpoint in endpoints)


def test_every_routed_api_has_its_routes_in_patterns_that_envoy_takes() -> None:
    """RE2 programs over 100 are refused, and a route for each path would be tried for each request."""
    by_name = {each.name: each for each in read_paths()}
    matched = [each["match"] for each in routes(config()) if each["name"].startswith("inference by name")]
    patterns = [match["safe_regex"]["regex"] for match in matched]
    assert len(patterns) == len(by_name) - len(INFERENCE_PATHS) < len(ROUTED_PATHS) / 2
    assert all(len(pattern) <= PATTERN_CHARS_MAX for pattern in patterns)
    for path in ROUTED_PATHS:
        assert sum(re.fullmatch(pattern, path) is not None for pattern in patterns) == 1
        assert sum(re.fullmatch(pattern, path + "/") is not None for pattern in patterns) == 1
        assert not any(re.fullmatch(pattern, path + "x") for pattern in patterns)


def test_paths_of_one_pattern_have_one_form_of_errors() -> None:
    for read in read_paths():
        forms = {id(api.errors) for path in read.paths if (api := find_routed("POST", path)) is not None}
        assert forms <= {id(read.errors)}


def test_everything_else_meets_no_filter_and_comes_last() -> None:
    *_, last = routes(config())
    assert last["match"] == {"prefix": "/"}
    assert last["route"]["cluster"] == "pool_s"
    off = {name for name, each in last["typed_per_filter_config"].items() if each["disabled"]}
    assert off == {"router.decide", "router.observe"}


@pytest.mark.parametrize("listen", ["unix:/run/r/{worker}.sock", "127.0.0.1:50051"])
def test_envoy_looks_for_each_worker_where_it_listens(listen: str) -> None:
    wanted = config(listen=listen, workers=3)
    assert sockets(clusters(wanted)["router_extproc"]) == [
        worker_address(listen, worker) for worker in range(3)
    ]


def test_the_server_may_be_seen_elsewhere_than_it_listens() -> None:
    wanted = config(listen="0.0.0.0:50051", server=["router:50051"])
    cluster = clusters(wanted)["router_extproc"]
    assert sockets(cluster) == ["router:50051"]
    assert cluster["type"] == "STRICT_DNS"


def test_no_circuit_breaker_keeps_its_default() -> None:
    for cluster in clusters(config(max_requests=777)).values():
        (thresholds,) = cluster["circuit_breakers"]["thresholds"]
        assert set(thresholds.values()) == {777}


def test_listed_headers_are_stripped_beside_ours() -> None:
    (extension,) = manager(config(strip_headers=["x-user-id"]))["early_header_mutation_extensions"]
    ours, theirs = extension["typed_config"]["mutations"]
    pattern = ours["remove_on_match"]["key_matcher"]["safe_regex"]["regex"]
    assert re.fullmatch(pattern, "x-router-cluster")
    assert theirs == {"remove": "x-user-id"}


@pytest.mark.parametrize(
    ("name", "stripped"),
    [
        ("x-router-", True),
        ("x-router-cluster", True),
        ("x-router-cache", True),
        ("x-router-cac", True),
        ("x-router-cache-", True),
        ("x-router-cache-status", True),
        ("x-router-cache-feedback", False),
        ("x-router-d", True),
        ("x-router-decision", True),
        ("x-router-debug", False),
        ("x-routed", False),
        ("y-x-router-cluster", False),
    ],
)
def test_of_our_headers_a_client_may_send_two(name: str, *, stripped: bool) -> None:
    """Envoy matches the whole name."""
    pattern = all_but("x-router-", "cache-f", "deb")
    assert (re.fullmatch(pattern, name) is not None) is stripped


def test_a_pool_behind_tls_is_checked_and_called_by_its_name() -> None:
    tls = clusters(config())["pool_l"]["transport_socket"]["typed_config"]
    assert tls["auto_sni_san_validation"] is True
    assert "transport_socket" not in clusters(config())["pool_s"]
    actions = [route["route"] for route in routes(config()) if "route" in route]
    assert {each["cluster"] for each in actions if each.get("auto_host_rewrite")} == {"pool_l"}


def test_the_admin_interface_is_off_unless_asked_for() -> None:
    assert "admin" in whole(config())
    assert "admin" not in whole(config(admin=None))


def test_the_log_has_nothing_that_a_client_wrote() -> None:
    (log,) = manager(config())["access_log"]
    fields = log["typed_config"]["log_format"]["json_format"]
    simple = {value for value in fields.values() if value.startswith("%REQ(")}
    assert simple == {
        "%REQ(:METHOD)%",
        "%REQ(x-router-cluster)%",
        "%REQ(X-REQUEST-ID):64%",
        "%REQ(TRACEPARENT):55%",
    }
    told = {value for value in fields.values() if "REQ" in value} - simple
    assert {name for value in told for name in re.findall(r'"param":"([^"]*)"', value)} == {
        "x-router-model",
        "x-router-decision",
    }
    assert fields["path"] == "%PATH(NQ)%"


@pytest.mark.parametrize("profile", ["split", "inline"])
def test_envoy_may_be_asked_to_wait_as_long_as_equal_requests_wait(profile: str) -> None:
    (deciding,) = [
        found["typed_config"]
        for found in manager(config(profile=profile))["http_filters"]
        if "max_message_timeout" in found.get("typed_config", {})
    ]
    assert deciding["max_message_timeout"] == "3.350s"


def test_envoy_may_be_asked_to_wait_as_long_as_a_hit_is_held_back() -> None:
    hides = SemanticCache(enabled=True, hide_timing=True, hide_timing_max_s=9.0, coalescing=OFF)
    wanted = config().model_copy(update={"semantic_cache": hides})
    # Behind the reading of a large body.
    assert "max_message_timeout: 10.350s" in rendered(wanted.model_dump_json())["bootstrap.yaml"]


def test_envoy_may_be_asked_to_wait_until_a_large_body_is_read() -> None:
    """Else it would send a pinned request to another model, unread."""
    alone = config().model_copy(update={"semantic_cache": SemanticCache(enabled=True, coalescing=OFF)})
    assert "max_message_timeout: 3.350s" in rendered(alone.model_dump_json())["bootstrap.yaml"]


def test_envoy_is_never_asked_to_wait_where_no_request_waits() -> None:
    small = config().limits.model_copy(update={"max_body_bytes": 4096})
    no_cache = SemanticCache(enabled=True, coalescing=OFF)
    alone = config().model_copy(update={"semantic_cache": no_cache, "limits": small})
    assert "max_message_timeout" not in rendered(alone.model_dump_json())["bootstrap.yaml"]


@pytest.mark.parametrize("profile", ["split", "inline"])
def test_pages_are_listed_before_any_filter_answers(profile: str) -> None:
    """A filter that answers ends the way in: what is behind it never sees the page."""
    wanted = config(profile=profile, cors={"allow_origins": ["https://app.example"]})
    assert list(filters(wanted))[:4] == ["router.pages", "router.cors", "router.other_pages", "router.paths"]


def test_without_listed_pages_no_filter_speaks_to_pages() -> None:
    assert "cors" not in rendered(config().model_dump_json())["bootstrap.yaml"]


def test_every_page_may_be_allowed() -> None:
    policy = manager(config(cors={"allow_origins": ["*"]}))["route_config"]["virtual_hosts"][0]
    allowed = policy["typed_per_filter_config"]["router.cors"]["allow_origin_string_match"]
    assert allowed == [{"safe_regex": {"regex": ".*"}}]
    assert "xds_matcher" not in filters(config(cors={"allow_origins": ["*"]}))["router.pages"]


def test_every_reason_is_used() -> None:
    """A reason that fits no key has outlived what it explained."""
    shapes = [
        {"profile": "inline", "other_paths": "deny", "cors": {"allow_origins": ["https://app.example"]}},
        {
            "profile": "split",
            "tls": CERTIFICATE,
            "server": ["router.test:1"],
            "server_tls": {"ca_file": "/ca.pem"},
        },
    ]
    configs = [config(**shape) for shape in shapes]
    small = configs[0].models["small"].model_copy(update={"fallback": "large"})
    configs += [configs[0].model_copy(update={"models": {**configs[0].models, "small": small}})]
    texts = [text for each in configs for text in rendered(each.model_dump_json(), None).values()]
    written = " ".join(" ".join(line.strip(" #") for line in text.splitlines()) for text in texts)
    assert [reason for reason in REASONS.values() if " ".join(reason.split()) not in written] == []


def test_the_include_is_made_of_the_bootstraps_parts() -> None:
    parts = {name: loaded(text) for name, text in render(config(), "include").items()}
    there = manager(config())
    for key, value in parts["include/filters.yaml"].items():
        assert there[key] == value or there[key][:-1] == value
    assert parts["include/clusters.yaml"]["clusters"] == whole(config())["static_resources"]["clusters"]
    assert parts["include/routes.yaml"]["virtual_hosts"] == there["route_config"]["virtual_hosts"]


def test_headers_of_another_router_are_rendered_where_they_are_asked_for() -> None:
    ours, theirs = (rendered(wanted.model_dump_json())["bootstrap.yaml"] for wanted in (config(), OLD))
    assert "x-vsr-" not in ours
    assert "x-selected-model" not in ours
    assert theirs.count("x-vsr-selected-category") == 2  # removed of a pool's answer, and set
    assert "remove: x-selected-model" in theirs


def test_a_page_may_read_the_headers_of_another_router() -> None:
    cors = {"allow_origins": ["https://app.example"]}
    page = config(compatible_headers="vllm-sr", cors=cors)
    assert "x-vsr-selected-model" in str(whole(page)["static_resources"]["listeners"])
    assert envoy_digest(config()) != envoy_digest(OLD)
