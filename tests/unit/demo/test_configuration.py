from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from router_extproc.config.admin import Admin
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.demo.configuration import of_this_run, packaged, prepare_folder, write
from router_extproc.demo.pools import Pool
from router_extproc.demo.secrets import secrets_of, with_names
from router_extproc.errors import ConfigError


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


# ── secrets ───────────────────────────────────────────────────────────────────────────────────

PASSWORD = "correct horse"
OWN = """
version: 1
default_model: small
models: {small: {cluster: small}, large: {cluster: large}}
decisions: [{name: big, priority: 1, when: {talk: true}, model: large}]
signals: {talk: {type: keywords, any: ["$${NO_VARIABLE}"]}}
"""
MILVUS = (
    "connection: {host: milvus, auth: {enabled: true, username: '${USER_NAME}', password: '${SECRET}'}}\n"
)


@pytest.mark.parametrize("in_a_file_of_its_own", [True, False])
def test_what_came_from_the_environment_stays_there(tmp_path: Path, *, in_a_file_of_its_own: bool) -> None:
    environ = {"SECRET": PASSWORD, "USER_NAME": "router", "OTHER": "unused"}
    cache = "semantic_cache: {enabled: true, backend_type: milvus, "
    if in_a_file_of_its_own:
        (tmp_path / "milvus.yaml").write_text(MILVUS)
        cache += "backend_config_path: milvus.yaml}\n"
    else:
        cache += f"milvus: {{{MILVUS.strip()}}}}}\n"
    own = tmp_path / "own.yaml"
    own.write_text(OWN + cache)
    base = read_config(own, environ=environ)
    taken = secrets_of(base, own, environ)
    config = this_run(tmp_path, base)
    router, envoy = write(config, tmp_path, taken)
    assert PASSWORD not in router.read_text() + envoy.read_text()
    assert "${SECRET}" in router.read_text()
    assert read_config(router, environ=environ) == config


def test_a_value_that_is_part_of_another_does_not_hide_it() -> None:
    secrets = {"horse": "B", "correct horse": "A", "A": "C"}
    assert with_names(["correct horse", "horse", "A", 1, {"k": None}], secrets) == [
        "${A}", "${B}", "${C}", 1, {"k": None},
    ]  # fmt: skip


def test_a_variable_that_is_not_set_or_empty_is_no_secret(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("# ${UNSET} ${EMPTY}\n" + OWN)
    assert secrets_of(read_config(own, environ={}), own, {"EMPTY": ""}) == {}


# ── who may read it ───────────────────────────────────────────────────────────────────────────


def test_what_is_written_is_its_users_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "run"
    prepare_folder(folder)
    files = write(this_run(folder), folder)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder.parent, folder)] == [0o700, 0o700]
    assert [stat.S_IMODE(each.stat().st_mode) for each in files] == [0o600, 0o600]


def test_the_folder_of_an_earlier_version_is_closed(tmp_path: Path) -> None:
    for name in ("router.yaml", "envoy.yaml", "sidecar.log"):
        (tmp_path / name).touch()
    tmp_path.chmod(0o775)
    prepare_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_folder_with_other_things_keeps_its_mode(tmp_path: Path) -> None:
    """`--folder .` does not lock anybody out of a project."""
    (tmp_path / "project.txt").touch()
    tmp_path.chmod(0o755)
    prepare_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_folder_in_which_everybody_can_write_is_refused(tmp_path: Path) -> None:
    """Who can put another envoy.yaml there is asked by Envoy."""
    (tmp_path / "project.txt").touch()
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError, match="--folder: every user can write"):
        prepare_folder(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(ConfigError, match=r"--folder: cannot use .*/run"):
        prepare_folder(tmp_path / "run")


def test_the_written_configuration_says_who_shares(tmp_path: Path) -> None:
    """As the packaged one does; else the sidecar warns at each start that nobody has said it."""
    router, _ = write(this_run(tmp_path), tmp_path)
    assert json.loads(router.read_text())["semantic_cache"]["scope"] == "credentials"
