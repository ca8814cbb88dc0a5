from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.cli import main

CONFIG = """
version: 1
default_model: small
models: {small: {cluster: pool}}
envoy: {clusters: {pool: {endpoints: ["127.0.0.1:8000"]}}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "router.yaml"
    file.write_text(CONFIG)
    return file


def run(*args: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["envoy", *map(str, args)])
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_it_writes_bootstrap_and_include(config: Path, tmp_path: Path) -> None:
    assert run("--config", config, "--out", tmp_path / "out") == 0
    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.yaml")}
    assert written == {
        "bootstrap.yaml",
        "include/filters.yaml",
        "include/clusters.yaml",
        "include/routes.yaml",
    }


def test_it_writes_only_what_was_asked_for(config: Path, tmp_path: Path) -> None:
    run("--config", config, "--out", tmp_path / "out", "--what", "bootstrap")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["bootstrap.yaml"]


def test_check_writes_nothing_and_tells_the_difference(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ("--config", config, "--out", out, "--what", "include")
    assert run(*words, "--check") == 1
    assert not out.exists()
    run(*words)
    assert run(*words, "--check") == 0
    (out / "include" / "routes.yaml").write_text("changed by hand")
    capsys.readouterr()
    assert run(*words, "--check") == 1
    assert "routes.yaml: differs" in capsys.readouterr().err


def test_a_bad_configuration_is_exit_code_2(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(CONFIG.replace("clusters: {pool:", "clusters: {other:"))
    assert run("--config", config, "--out", tmp_path / "out") == 2
    assert "models.small.cluster" in capsys.readouterr().err
