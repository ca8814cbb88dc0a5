# ruff: noqa: E501 - tables read best with one case in a line
"""What `check` and `serve` say beyond the form of a configuration: what a start would end with, and warnings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from router_extproc.config.check_serving import ENCODER_FILE
from router_extproc.config.examine import examine
from router_extproc.config.warnings import WARNINGS
from router_extproc.errors import ConfigProblems
from router_extproc.models.onnx.home import MODEL_NAME
from router_extproc.models.onnx.manifest import MANIFEST_NAME

from .conftest import SMALLEST

ROOT = Path(__file__).resolve().parents[3]
Errors = Callable[[str], list[str]]
GUARD = "signals: {g: {type: guard}}\ndecisions: [{name: a, model: small, when: {g: true}}]\n"


@pytest.fixture
def errors(tmp_path: Path) -> Errors:
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / MODEL_NAME).touch()
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / MANIFEST_NAME).touch()
    (tmp_path / "empty").mkdir()

    def errors(text: str) -> list[str]:
        path = tmp_path / "router.yaml"
        path.write_text(SMALLEST + text)
        report = examine(path, environ={})
        return [str(error).replace(str(tmp_path), "TMP") for error in report.errors]

    return errors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("encoder: {path: nowhere}", "encoder.path: no folder 'TMP/nowhere'"),
        ("encoder: {path: empty}", "encoder.path: the folder 'TMP/empty' has no model.onnx"),
        ("signals: {d: {type: intent, model: ./nowhere}}", "signals.d.model: no folder 'TMP/nowhere'"),
        ("signals: {d: {type: intent, model: ./empty}}", "signals.d.model: the folder 'TMP/empty' has no manifest.json"),
        ("encoder: {path: encoder}\n" + GUARD,
         "signals.g: needs the built-in encoder, which encoder.path replaces"),
        ("encoder: {prefix: 'query: '}\nsignals: {d: {type: intent, model: mmlu14}}",
         "signals.d: needs the built-in encoder, which encoder.prefix replaces"),
    ],
)  # fmt: skip
def test_what_a_start_would_end_with_is_said_before(errors: Errors, text: str, expected: str) -> None:
    assert errors(text + "\n") == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "encoder: {path: encoder}",
        "signals: {d: {type: intent, model: ./head}}",
        GUARD,
        "encoder: {path: encoder}\nsignals: {d: {type: intent, model: ./head}, e: {type: intent, examples: {a: [b]}}}",
        "encoder: {path: encoder}\nsignals: {p: {type: pii, kinds: [EMAIL_ADDRESS]}}",
        "signals: {d: {type: intent, model: mmlu14}}",
    ],
)  # fmt: skip
def test_what_starts_is_accepted(errors: Errors, text: str) -> None:
    assert errors(text + "\n") == []


def test_the_files_that_are_looked_for_are_those_that_are_opened() -> None:
    assert (ENCODER_FILE, "manifest.json") == (MODEL_NAME, MANIFEST_NAME)


def test_warnings_come_beside_errors(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    path.write_text(SMALLEST + "admin: 0.0.0.0:9190\ndecisions: [{name: a, model: smal}]\n")
    report = examine(path)
    assert [error.located() for error in report.errors] == [
        f"{path}:6: decisions[0].model: no model named 'smal' (did you mean 'small'?)"
    ]
    assert [warning.path for warning in report.warnings] == ["admin"]
    with pytest.raises(ConfigProblems):
        report.accepted()


def test_nothing_is_concluded_from_malformed_values(tmp_path: Path) -> None:
    """A stand-in for the value might be what is warned of."""
    path = tmp_path / "router.yaml"
    path.write_text(SMALLEST + "admin: 0.0.0.0:9190\nworkers: none\n")
    report = examine(path)
    assert (len(report.errors), report.warnings) == (1, ())


def test_a_warning_of_the_milvus_file_has_that_files_line(tmp_path: Path) -> None:
    (tmp_path / "milvus.yaml").write_text("connection:\n  auth:\n    enabled: true\n    token: hunter2\n")
    path = tmp_path / "router.yaml"
    path.write_text(
        SMALLEST + "semantic_cache: {enabled: true, scope: shared, backend_type: milvus,"
        " backend_config_path: milvus.yaml}\n"
    )
    (warning,) = examine(path, environ={}).warnings
    assert warning.located() == (
        f"{tmp_path}/milvus.yaml:4: warning: semantic_cache.milvus.connection.auth.token: is written in clear"
        " text; write ${MILVUS_TOKEN} and set that environment variable"
    )
    assert "hunter2" not in warning.problem


def test_a_dangling_signal_stops_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    rules = (
        "decisions: [{name: a, model: small, when: {nope: 1}}, {name: b, model: small, when: {all: []}}]\n"
    )
    path.write_text(SMALLEST + "admin: 0.0.0.0:9190\nsignals: {t: {type: header, header: x}}\n" + rules)
    assert "admin" in [warning.path for warning in examine(path).warnings]


def test_many_decisions_are_checked_in_bounded_work(tmp_path: Path) -> None:
    """Rules over many signals have more worlds than can be tried; their form is compared instead."""
    signals = ", ".join(f"s{n}: {{type: complexity}}" for n in range(40))
    rule = ", ".join(f"{{s{n}: {{min: 0.{n + 10}}}}}" for n in range(40))
    decisions = ", ".join(f"{{name: d{n}, model: small, when: {{all: [{rule}]}}}}" for n in range(15))
    path = tmp_path / "router.yaml"
    path.write_text(SMALLEST + f"signals: {{{signals}}}\ndecisions: [{decisions}]\n")
    assert [warning.path for warning in examine(path).warnings] == [f"decisions[{n}]" for n in range(1, 15)]


def test_what_is_shipped_has_no_warning() -> None:
    deployed = examine(ROOT / "deploy" / "router.yaml", environ={})
    demo = examine(ROOT / "router_extproc" / "demo" / "router.yaml", environ={})
    assert [warning.path for warning in (*deployed.warnings, *demo.warnings)] == []


def test_every_warning_is_registered_once() -> None:
    assert len(set(WARNINGS)) == len(WARNINGS)
