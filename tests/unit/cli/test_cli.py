from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import structlog

from router_extproc import __version__
from router_extproc.cli import COMMANDS, main

OK = "version: 1\ndefault_model: small\nmodels: {small: {cluster: a, served_name: tiny}}\n"
RULES = (
    OK + "signals: {urgent: {type: keywords, any: [asap]}}\n"
    "decisions: [{name: hurry, when: {urgent: true}, model: small}]\n"
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "router.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture(autouse=True)
def _quiet_afterwards() -> Iterator[None]:
    """Commands set up logging for their process; here many run in one."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def run(*args: object) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    return int(ended.value.code or 0)


# ── every command ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "--help") == 0
    assert "Example: " in capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in COMMANDS)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"router-extproc {__version__}\n"


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("chek") == 2
    assert "'check'" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["serve"], ["explain", "hi"], ["check"]])
def test_a_missing_option_is_wrong_usage(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*command) == 2
    assert "Missing" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["serve", "--config"], ["explain", "hi", "--config"]])
def test_a_broken_configuration_lists_its_problems_and_exits_with_2(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(OK + "workers: 0\nadmin: here\n")
    assert run(*command, path) == 2
    assert capsys.readouterr().err.splitlines() == [
        "workers: must be >= 1, got 0",
        "admin: must be HOST:PORT, got 'here'",
    ]


# ── check ─────────────────────────────────────────────────────────────────────────────────────


def test_check_is_content_with_a_good_configuration(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", config) == 0
    assert "no problem found" in capsys.readouterr().out


def test_check_lists_problems_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(OK.replace("default_model: small", "default_model: smal"))
    assert run("check", path) == 2
    err = capsys.readouterr().err
    assert "default_model: no model named 'smal' (did you mean 'small'?)\n" in err
    assert "1 problem" in err


def test_check_speaks_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(OK + "workers: 0\n")
    assert run("check", path, "--json") == 2
    assert orjson.loads(capsys.readouterr().out) == {
        "ok": False,
        "problems": [{"path": "workers", "problem": "must be >= 1, got 0"}],
    }


# ── explain ───────────────────────────────────────────────────────────────────────────────────


def test_explain_shows_the_route_and_the_rules(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "-c", config, "I need it asap") == 0
    shown = capsys.readouterr().out
    assert "small as tiny in cluster a" in shown
    assert "decision hurry" in shown
    assert "urgent" in shown


def test_explain_speaks_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "-c", config, "no hurry", "--json") == 0
    explanation = orjson.loads(capsys.readouterr().out)
    assert (explanation["outcome"], explanation["decision"]) == ("forward", "default")


def test_explain_reads_a_request_file(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = tmp_path / "request.json"
    request.write_text('{"model": "small", "messages": [{"role": "user", "content": "hi"}]}')
    assert run("explain", "-c", config, "--request", request, "-H", "X-Tier: gold", "--json") == 0
    assert orjson.loads(capsys.readouterr().out)["decision"] == "pinned"


def test_explain_says_what_the_client_would_be_told(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = tmp_path / "request.json"
    request.write_text('{"model": "nobody", "messages": [{"role": "user", "content": "hi"}]}')
    assert run("explain", "-c", config, "--request", request) == 1
    assert "reject  404 model_not_found" in capsys.readouterr().out


def test_explain_knows_which_paths_pass_untouched(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "-c", config, "hi", "--path", "/v1/other") == 1
    assert "passes untouched" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], "give either a prompt or --request FILE"),
        (["hi", "--request", "x.json"], "give either a prompt or --request FILE"),
        (["--request", "/nowhere.json"], "cannot read /nowhere.json"),
        (["hi", "--header", "nothing"], "write 'name: value'"),
    ],
)
def test_explain_refuses_what_it_cannot_understand(
    config: Path, args: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("explain", "-c", config, *args) == 2
    assert expected in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_explain_says_when_no_sidecar_is_running(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "router.yaml"
    path.write_text(OK + "admin: 127.0.0.1:9\n")
    assert run("explain", "-c", path, "--running", "hi") == 1
    assert "is the sidecar running?" in capsys.readouterr().err


# ── serve and demo ────────────────────────────────────────────────────────────────────────────


def test_serve_names_a_port_in_use_and_what_to_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = tmp_path / "router.yaml"
        path.write_text(OK + f"listen: 127.0.0.1:{port}\nadmin: 127.0.0.1:0\n")
        assert run("serve", "--config", path) == 2
    assert f"port {port} on 127.0.0.1 is in use; set listen to another" in capsys.readouterr().err


def test_serve_names_an_admin_port_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = tmp_path / "router.yaml"
        path.write_text(OK + f"listen: 127.0.0.1:0\nadmin: 127.0.0.1:{port}\n")
        assert run("serve", "--config", path) == 2
    assert f"admin: 127.0.0.1:{port} is in use; set admin to another" in capsys.readouterr().err


def test_demo_names_a_port_in_use_and_the_option_to_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run("demo", "--port", port, "--folder", tmp_path / "run") == 2
    assert (
        f"--port: port {port} on 127.0.0.1 is in use; choose another with --port" in capsys.readouterr().err
    )


def test_demo_refuses_pools_that_it_does_not_know(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    free = [_free_port() for _ in range(2)]
    options = ["--port", free[0], "--admin-port", free[1], "--folder", tmp_path / "run"]
    assert run("demo", *options, "--pools", "tiny=http://h:1") == 2
    assert "POOLS: write NAME=URL with NAME one of small, large" in capsys.readouterr().err


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
