from __future__ import annotations

from pathlib import Path

from router_extproc.config.admin import Admin
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.demo.configuration import of_this_run, packaged, write
from router_extproc.demo.pools import Pool


def this_run(folder: Path, config: Config | None = None) -> Config:
    return of_this_run(
        config or packaged(),
        folder=folder,
        socket=folder / "0.sock",
        port=18801,
        admin_port=19190,
        pools={
            "small": Pool("10.0.0.5:8000", tls=True, served_name="Qwen/Qwen3-4B"),
            "large": Pool("127.0.0.1:9", tls=False, served_name="demo-large"),
        },
    )


def test_the_packaged_configuration_is_without_problems() -> None:
    assert packaged().semantic_cache.enabled


def test_real_pools_bring_their_address_and_the_name_they_serve(tmp_path: Path) -> None:
    config = this_run(tmp_path)
    assert config.models["small"].served_name == "Qwen/Qwen3-4B"
    assert config.envoy.clusters["small"].endpoints == ("10.0.0.5:8000",)
    assert config.envoy.clusters["small"].tls


def test_what_is_written_is_what_is_served(tmp_path: Path) -> None:
    """The folder's router.yaml can be checked, explained and served by hand."""
    config = this_run(tmp_path)
    router, _ = write(config, tmp_path)
    assert read_config(router, environ={}) == config


def test_the_admin_port_keeps_its_rules_but_not_its_addresses(tmp_path: Path) -> None:
    """The demo is on loopback only, with the token that was asked for."""
    rules = {"allowed_hosts": ["a"], "token_file": str(tmp_path / "token")}
    own = packaged().model_copy(
        update={"admin": Admin.model_validate({"listen": "0.0.0.0:1", "metrics": "0.0.0.0:2", **rules})}
    )
    assert this_run(tmp_path, own).admin == Admin.model_validate({"listen": "127.0.0.1:19190", **rules})


def test_the_cache_is_in_the_demos_folder(tmp_path: Path) -> None:
    milvus = this_run(tmp_path).semantic_cache.milvus
    assert milvus is not None
    assert milvus.connection.uri == str(tmp_path / "cache.db")


def test_a_milvus_server_stays_where_it_is(tmp_path: Path) -> None:
    """Named in a file of its own, as in the guide: what is written says it itself."""
    (tmp_path / "milvus.yaml").write_text("connection: {host: milvus.example}\n")
    changes = {"milvus": None, "backend_config_path": "milvus.yaml"}
    own = packaged().model_copy(
        update={"semantic_cache": packaged().semantic_cache.model_copy(update=changes)}
    )
    (tmp_path / "own.yaml").write_text(own.model_dump_json(exclude_defaults=True))
    config = this_run(tmp_path, read_config(tmp_path / "own.yaml", environ={}))
    router, _ = write(config, tmp_path)
    assert read_config(router, environ={}) == config
    milvus = config.semantic_cache.milvus
    assert milvus is not None
    assert (milvus.connection.host, milvus.connection.uri) == ("milvus.example", None)


def test_envoys_configuration_names_this_runs_ports(tmp_path: Path) -> None:
    _, envoy = write(this_run(tmp_path), tmp_path)
    assert "18801" in envoy.read_text()
