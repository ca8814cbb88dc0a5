"""What a reload cannot change is named, all of it at once."""

from __future__ import annotations

from typing import Any

import pytest

from router_extproc.config.fixed import RENDERED, RESTART, fixed_changes
from router_extproc.config.model import Config

START: dict[str, Any] = {
    "version": 1,
    "default_model": "small",
    "models": {"small": {"cluster": "one"}, "large": {"cluster": "two"}},
    "semantic_cache": {"enabled": True},
}


def changes(started: dict[str, Any] | None = None, **sections: Any) -> dict[str, str]:
    one = Config.model_validate(started or START)
    found = fixed_changes(one, Config.model_validate({**START, **sections}))
    return {problem.path: problem.problem for problem in found}


def test_the_same_configuration_changes_nothing() -> None:
    assert changes() == {}


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"listen": "127.0.0.1:5000"}, "listen"),
        ({"workers": 2}, "workers"),
        ({"admin": "127.0.0.1:9999"}, "admin.listen"),
        ({"state_dir": "/var/lib/x"}, "state_dir"),
        ({"limits": {"drain_s": 3}}, "limits.drain_s"),
        ({"telemetry": {"log_level": "error"}}, "telemetry.log_level"),
        ({"encoder": {"path": "/models/x"}}, "encoder.path"),
        ({"semantic_cache": {"enabled": False}}, "semantic_cache.enabled"),
        (
            {"semantic_cache": {"enabled": True, "near": {"max_entries": 5}}},
            "semantic_cache.near.max_entries",
        ),
        (
            {"semantic_cache": {"enabled": True, "milvus": {"uri": "./x.db"}}},
            "semantic_cache.milvus",
        ),
    ],
)
def test_what_is_opened_at_the_start_needs_a_restart(sections: dict[str, Any], path: str) -> None:
    assert changes(**sections) == {path: RESTART}


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"envoy": {"listen": "127.0.0.1:1"}}, "envoy.listen"),
        ({"envoy": {"clusters": {"one": {"endpoints": ["a:1"]}}}}, "envoy.clusters.one"),
        ({"limits": {"max_body_bytes": 4096}}, "limits.max_body_bytes"),
    ],
)
def test_what_envoy_is_rendered_from_needs_a_new_rendering_too(sections: dict[str, Any], path: str) -> None:
    assert changes(**sections) == {path: RENDERED}


def test_a_model_behind_a_cluster_that_envoy_does_not_have_is_named() -> None:
    found = changes(models={**START["models"], "huge": {"cluster": "three"}})
    assert list(found) == ["models.huge.cluster"]
    assert "'three'" in found["models.huge.cluster"]
    assert found["models.huge.cluster"].endswith(RENDERED)


def test_a_default_model_elsewhere_is_named() -> None:
    """Envoy's default route leads to its cluster, whether or not the sidecar is there."""
    assert list(changes(default_model="large")) == ["default_model"]


def test_envoy_gives_no_reply_more_time_than_it_was_rendered_with() -> None:
    longer = {"semantic_cache": {"enabled": True, "coalescing": {"wait_s": 19}}}
    assert changes(**longer) == {"semantic_cache.coalescing.wait_s": RENDERED}
    assert changes(semantic_cache={"enabled": True, "coalescing": {"wait_s": 1}}) == {}
    hidden = {"semantic_cache": {"enabled": True, "hide_timing": True, "hide_timing_max_s": 9}}
    assert changes(**hidden) == {"semantic_cache.hide_timing_max_s": RENDERED}


def test_everything_that_is_in_the_way_is_named_at_once() -> None:
    found = changes(workers=3, default_model="large", limits={"drain_s": 1})
    assert sorted(found) == ["default_model", "limits.drain_s", "workers"]


def test_policy_may_change() -> None:
    found = changes(
        models={
            "small": {"cluster": "one", "served_name": "other", "cost": {"input_per_mtok": 1}},
            "another": {"cluster": "two"},
        },
        virtual_models=["auto", "best"],
        signals={"urgent": {"type": "keywords", "any": ["now"]}},
        decisions=[{"name": "urgent", "model": "another", "when": {"urgent": True}}],
        semantic_cache={"enabled": True, "similarity_threshold": 0.9, "ttl_seconds": 60},
        limits={"signals_timeout_s": 0.2, "cache_timeout_s": 0.1},
    )
    assert found == {}


def test_a_pool_that_is_no_longer_used_may_stay_in_envoy() -> None:
    assert changes(models={"small": {"cluster": "one"}}) == {}
