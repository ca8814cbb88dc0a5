"""A model's tokenizer: where it is looked for, and which signals count with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.config.examine import examine
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.config.translate import router_policy_of
from router_extproc.signals.context_length import ContextLengthSettings

TEXT = """
version: 1
default_model: small
models: {{small: {{cluster: a, {model}}}, large: {{cluster: b}}}}
signals: {{long: {{type: context_length, min_tokens: 10{signal}}}}}
decisions: [{{name: long, when: {{long: true}}, model: large}}]
"""


def config_in(folder: Path, *, model: str = "", signal: str = "") -> Config:
    (folder / "router.yaml").write_text(TEXT.format(model=model, signal=signal))
    for name in ("small.json", "other.json"):
        (folder / name).write_text("{}")
    return read_config(folder / "router.yaml")


def tokenizer_of(config: Config) -> str | None:
    settings = router_policy_of(config).signals["long"]
    assert isinstance(settings, ContextLengthSettings)
    return settings.tokenizer


def test_without_a_tokenizer_tokens_are_estimated(tmp_path: Path) -> None:
    assert tokenizer_of(config_in(tmp_path)) is None


def test_the_default_models_is_taken_from_beside_the_configuration(tmp_path: Path) -> None:
    config = config_in(tmp_path, model="tokenizer: small.json")
    assert tokenizer_of(config) == str(tmp_path / "small.json")


def test_a_signals_own_comes_first(tmp_path: Path) -> None:
    config = config_in(tmp_path, model="tokenizer: small.json", signal=", tokenizer: other.json")
    assert tokenizer_of(config) == str(tmp_path / "other.json")


@pytest.mark.parametrize(
    ("model", "signal", "path"),
    [
        ("tokenizer: none.json", "", "models.small.tokenizer"),
        ("", ", tokenizer: none.json", "signals.long.tokenizer"),
    ],
)
def test_a_file_that_is_not_there_is_told_by_check(
    tmp_path: Path, model: str, signal: str, path: str
) -> None:
    (tmp_path / "router.yaml").write_text(TEXT.format(model=model, signal=signal))
    [problem] = examine(tmp_path / "router.yaml").errors
    assert problem.path == path
    assert problem.problem.startswith("no file")
