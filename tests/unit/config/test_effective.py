# ruff: noqa: E501, ISC004 - tables read best with one case in a line
"""The configuration in force: all defaults, no secret, and a configuration itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from router_extproc.config.check_telemetry import check_telemetry
from router_extproc.config.document import dump
from router_extproc.config.effective import effective
from router_extproc.config.examine import Report, examine
from router_extproc.config.model import Config
from router_extproc.config.sources import Sources

from .conftest import SMALLEST

ROOT = Path(__file__).resolve().parents[3]
AUTH = "connection:\n  host: milvus\n  auth: {enabled: true, username: root, password: %s}\n  tls: {enabled: true}\n"
MILVUS = "semantic_cache: {enabled: true, scope: credentials, backend_type: milvus, backend_config_path: milvus.yaml}\n"
ENVIRON = {"PW": "s3cret", "NAME": "lim", "WORKERS": "2", "DIR": "/var/lib"}


def in_force(report: Report) -> dict[str, Any]:
    return effective(report.accepted(), report.sources)


def examined(folder: Path, text: str, milvus: str = "") -> Report:
    (folder / "router.yaml").write_text(SMALLEST + text)
    (folder / "milvus.yaml").write_text(milvus)
    return examine(folder / "router.yaml", environ=ENVIRON)


def test_defaults_are_filled_in(tmp_path: Path) -> None:
    shown = in_force(examined(tmp_path, ""))
    assert (shown["limits"]["message_timeout_s"], shown["envoy"]["profile"]) == (0.5, "split")


def test_the_milvus_file_is_part_of_it(tmp_path: Path) -> None:
    cache = in_force(examined(tmp_path, MILVUS, "connection: {host: there}\n"))["semantic_cache"]
    assert (cache["backend_config_path"], cache["milvus"]["connection"]["host"]) == (None, "there")
    assert cache["milvus"]["collection"]["index"]["type"] == "HNSW"


def test_a_secret_of_the_environment_is_its_name_again(tmp_path: Path) -> None:
    report = examined(tmp_path, MILVUS, AUTH % "'${PW}'")
    assert in_force(report)["semantic_cache"]["milvus"]["connection"]["auth"]["password"] == "${PW}"
    assert "s3cret" not in dump(in_force(report))


def test_a_secret_in_clear_is_hidden(tmp_path: Path) -> None:
    report = examined(tmp_path, MILVUS, AUTH % "hunter2")
    assert in_force(report)["semantic_cache"]["milvus"]["connection"]["auth"]["password"] == "***"
    assert "hunter2" not in dump(in_force(report))


def test_a_credential_for_a_pool_is_hidden(tmp_path: Path) -> None:
    headers = "{x-team: research, Authorization: Bearer hunter2}"
    report = examined(tmp_path, f"decisions: [{{name: a, model: small, headers: {headers}}}]\n")
    assert in_force(report)["decisions"][0]["headers"] == {"x-team": "research", "Authorization": "***"}


@pytest.mark.parametrize(
    "key", ["uri: 'https://root:hunter2@m:1'", "connection: {uri: 'https://root:hunter2@m:1'}"]
)
def test_a_password_inside_an_address_is_hidden(tmp_path: Path, key: str) -> None:
    shown = in_force(examined(tmp_path, MILVUS, key + "\n"))
    assert shown["semantic_cache"]["milvus"]["connection"]["uri"] == "https://***@m:1"


def test_the_short_form_of_an_address_keeps_its_variable(tmp_path: Path) -> None:
    shown = in_force(examined(tmp_path, MILVUS, "uri: '${DIR}/cache.db'\n"))
    assert shown["semantic_cache"]["milvus"]["connection"]["uri"] == "${DIR}/cache.db"


def test_text_that_looks_like_a_variable_stays_text(tmp_path: Path) -> None:
    report = examined(tmp_path, "signals: {k: {type: keywords, any: ['$${HOME}', '$$${X}', '${NAME}']}}\n")
    assert in_force(report)["signals"]["k"]["any"] == ["$${HOME}", "$$${X}", "${NAME}"]
    assert read_again(tmp_path, report).accepted().signals == report.accepted().signals


def test_a_decision_shows_what_it_follows(tmp_path: Path) -> None:
    text = (
        "semantic_cache: {enabled: true, ttl_seconds: 60, scope: shared}\n"
        "signals: {k: {type: keywords, any: [a, b, c]}}\n"
        "decisions:\n"
        "  - {name: a, model: small, when: {k: a}, cache: {similarity_min: 0.9}}\n"
        "  - {name: b, model: small, when: {k: b}, cache: {mode: exact}}\n"
        "  - {name: c, model: small, when: {k: c}, cache: {mode: off}}\n"
    )
    a, b, c = (decision["cache"] for decision in in_force(examined(tmp_path, text))["decisions"])
    assert (a["mode"], a["similarity_min"], a["ttl_s"], a["scope"]) == ("semantic", 0.9, 60, "shared")
    assert (b["mode"], b["similarity_min"], b["ttl_s"]) == ("exact", None, 60)
    assert (c["mode"], c["ttl_s"], c["scope"]) == ("off", None, None)


CONFIGURATIONS = {
    "smallest": ("", ""),
    "environment": (MILVUS + "workers: ${WORKERS}\n", AUTH % "'${PW}'"),
    "lite": (MILVUS, "uri: ./cache.db\n"),
    "decisions": (
        "semantic_cache: {enabled: true, scope: credentials}\nsignals: {k: {type: keywords, any: [a, b]}}\n"
        "decisions: [{name: a, model: small, when: {k: a}, cache: {mode: exact}},"
        " {name: b, model: small, when: {not: {k: b}}, cache: {mode: off}}]\n",
        "",
    ),
    "tls": ("envoy: {clusters: {vllm_small: {endpoints: ['p:1']}}}\n", ""),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_is_in_force_means_the_same_when_it_is_read_again(tmp_path: Path, name: str) -> None:
    """Also to `check`: it says nothing more of it."""
    report = examined(tmp_path, *CONFIGURATIONS[name])
    again = read_again(tmp_path, report)
    assert again.errors == ()
    assert [str(warning) for warning in again.warnings] == [str(warning) for warning in report.warnings]
    assert in_force(again) == in_force(report)


@pytest.mark.parametrize("file", ["deploy/router.yaml", "router_extproc/demo/router.yaml"])
def test_what_is_shipped_is_read_again_as_it_is_in_force(tmp_path: Path, file: str) -> None:
    report = examine(ROOT / file, environ={})
    assert in_force(read_again(tmp_path, report)) == in_force(report)


def read_again(folder: Path, report: Report) -> Report:
    (folder / "effective.yaml").write_text(dump(in_force(report)))
    return examine(folder / "effective.yaml", environ=ENVIRON)


def test_the_debug_token_is_hidden_by_as_much_as_a_token_needs() -> None:
    """What is shown can be read again, and lets nobody in."""
    token = "correct-horse-battery-staple"
    sections = {"version": 1, "default_model": "a", "models": {"a": {"cluster": "a"}}}
    config = Config.model_validate({**sections, "telemetry": {"debug_token": token}})
    shown = effective(config, Sources(()))
    assert token not in str(shown)
    again = Config.model_validate(shown)
    assert not list(check_telemetry(again))
    assert token not in repr(config)


def test_a_debug_token_that_could_be_guessed_is_refused() -> None:
    sections = {"version": 1, "default_model": "a", "models": {"a": {"cluster": "a"}}}
    config = Config.model_validate({**sections, "telemetry": {"debug_token": "short"}})
    assert [problem.path for problem in check_telemetry(config)] == ["telemetry.debug_token"]
