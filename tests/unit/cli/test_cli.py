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
from router_extproc.cli.explanation import show
from router_extproc.config.read import read_config
from router_extproc.process.reload.messages import write_version
from router_extproc.process.reload.versions import PolicyVersion
from router_extproc.testing.ports import free_port

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


def test_the_help_of_a_command_names_its_extra(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets are markup where help is drawn."""
    assert run("models", "build", "--help") == 0
    assert "'router-extproc[build]'" in " ".join(capsys.readouterr().out.split())


def test_help_fills_the_lines_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A docstring's own line ends would break a paragraph in the middle of the screen."""
    monkeypatch.setenv("COLUMNS", "400")
    assert run("bench", "--help") == 0
    paragraph = next(line for line in capsys.readouterr().out.splitlines() if "Starts Envoy" in line)
    assert "with Envoy and the client." in paragraph


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
        f"{path}:4: workers: must be >= 1, got 0",
        f"{path}:5: admin: must be HOST:PORT, got 'here'",
    ]


# ── check ─────────────────────────────────────────────────────────────────────────────────────


def test_check_is_content_with_a_good_configuration(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", config) == 0
    assert "no problem found" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("", "en, de, es, fr, it, ja, ko, nl, pl, pt, ru, sv, tr, zh"),
        (", languages: [de]", "de"),
        (", languages: []", "none"),
    ],
)
def test_check_says_in_which_languages_other_words_may_hit(
    written: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cached.yaml"
    path.write_text(f"{OK}semantic_cache: {{enabled: true{written}}}\n")
    assert run("check", path) == 0
    shown = capsys.readouterr().out.replace("\n", " ")
    assert f"semantic_cache.languages: matched semantically: {named}; other languages exactly only" in shown


@pytest.mark.parametrize(
    ("language", "exact_only", "shown"),
    [
        (None, False, "language: not read, because there was no semantic lookup"),
        ("de", False, "language: de, matched semantically"),
        ("other", True, "language: other, matched exactly only"),
    ],
)
def test_explain_names_the_language(
    language: str | None,
    exact_only: bool,  # noqa: FBT001
    shown: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    explanation = {
        "outcome": "replay", "cache": "hit-exact", "age_s": 1, "model": "small", "decision": "default",
        "cache_status": "x", "ignored": 0, "not_made": [], "redacted": [], "language": language,
        "exact_only": exact_only,
        "readings": [], "rules": [], "candidates": [], "stages": [],
    }  # fmt: skip
    show(explanation)
    assert shown in capsys.readouterr().out


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
        "problems": [
            {
                "severity": "error",
                "path": "workers",
                "problem": "must be >= 1, got 0",
                "file": str(path),
                "line": 4,
                "column": 1,
            }
        ],
    }


DOUBTFUL = OK + "admin: 0.0.0.0:9190\n"


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    path = tmp_path / "doubtful.yaml"
    path.write_text(DOUBTFUL)
    return path


def test_a_warning_is_shown_and_is_no_failure(doubtful: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", doubtful) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith(f"{doubtful}:4: warning: admin: 0.0.0.0:9190 is open beyond this machine")
    assert shown.out == f"{doubtful}: 1 warning\n"


def test_strict_makes_warnings_errors(doubtful: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", doubtful, "--strict") == 2
    assert "admin: 0.0.0.0:9190 is open" in capsys.readouterr().err
    assert run("check", doubtful, "--strict", "--json") == 2
    shown = orjson.loads(capsys.readouterr().out)
    assert (shown["ok"], shown["problems"][0]["severity"]) == (False, "error")


def test_strict_is_content_with_what_has_no_warning(config: Path) -> None:
    assert run("check", config, "--strict") == 0


def test_warnings_speak_json(doubtful: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", doubtful, "--json") == 0
    shown = orjson.loads(capsys.readouterr().out)
    assert shown["ok"] is True
    (warning,) = shown["problems"]
    assert warning | {"problem": ""} == {
        "severity": "warning", "path": "admin", "problem": "", "file": str(doubtful), "line": 4, "column": 1,
    }  # fmt: skip


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", tmp_path / "nowhere.yaml") == 2
    assert "cannot read" in capsys.readouterr().err
    assert run("check", tmp_path / "nowhere.yaml", "--json") == 2
    assert orjson.loads(capsys.readouterr().out)["problems"][0]["line"] is None


def test_the_schema_needs_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--schema") == 0
    assert orjson.loads(capsys.readouterr().out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_configuration_in_force_is_a_configuration(
    doubtful: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its warnings go to stderr, so that stdout can be kept."""
    assert run("check", doubtful, "--effective") == 0
    shown = capsys.readouterr()
    assert "warning: admin" in shown.err
    (tmp_path / "again.yaml").write_text(shown.out)
    assert run("check", tmp_path / "again.yaml") == 0
    assert run("check", doubtful, "--effective", "--json") == 0
    assert orjson.loads("{" + capsys.readouterr().out.partition("{")[2])["limits"]["drain_s"] == 10.0


def test_of_a_broken_configuration_nothing_is_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(OK + "workers: 0\n")
    assert run("check", path, "--effective") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "workers: must be >= 1" in shown.err


def test_serve_logs_each_warning_once_at_start(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says what `check` says."""
    monkeypatch.setattr("router_extproc.cli.serve.run_worker", _no_worker)
    path = tmp_path / "router.yaml"
    path.write_text(DOUBTFUL + "limits: {drain_s: 0}\n")
    assert run("serve", "--config", path) == 0
    lines = [orjson.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["event"], line["path"], line["where"]) for line in lines] == [
        ("doubtful configuration", "admin", f"{path}:4"),
        ("doubtful configuration", "limits.drain_s", f"{path}:5"),
    ]
    assert {line["level"] for line in lines} == {"warning"}


def test_a_worker_of_a_supervisor_repeats_no_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router_extproc.cli.serve.run_worker", _no_worker)
    path = tmp_path / "router.yaml"
    path.write_text(DOUBTFUL)
    handed = write_version(PolicyVersion(1, read_config(path), "start", 0.0))
    monkeypatch.setattr("router_extproc.cli.serve.take_document", lambda: handed)
    assert run("serve", "--config", path, "--worker", "0", "--peers", tmp_path) == 0
    assert capsys.readouterr().err == ""


async def _no_worker(*_: object, **_more: object) -> None:
    """Stands for a worker that ends at once."""


# ── explain ───────────────────────────────────────────────────────────────────────────────────


def test_explain_shows_the_route_and_the_rules(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "-c", config, "I need it asap") == 0
    shown = capsys.readouterr().out
    assert "small as tiny in cluster a" in shown
    assert "decision hurry" in shown
    assert "urgent" in shown


def test_a_prompt_that_is_no_text_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shell may pass bytes of another encoding."""
    assert run("explain", "-c", config, "caf\udce9") == 2
    assert "the prompt is no UTF-8 text" in capsys.readouterr().err


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
    assert "passes to the default pool unchanged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], "give one of a prompt, --request FILE and --exchange FILE"),
        (["hi", "--request", "x.json"], "give one of a prompt, --request FILE and --exchange FILE"),
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
        f"--port: port {port} on 127.0.0.1 is in use: choose another with --port" in capsys.readouterr().err
    )


def test_demo_refuses_pools_that_it_does_not_know(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    free = [free_port() for _ in range(2)]
    options = ["--port", free[0], "--admin-port", free[1], "--folder", tmp_path / "run"]
    assert run("demo", *options, "--pools", "tiny=http://h:1") == 2
    assert "POOLS: write NAME=URL with NAME one of small, large" in capsys.readouterr().err
