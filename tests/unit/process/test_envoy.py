"""The Envoy that is started: the one of the extra [demo], or the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.errors import ConfigError
from router_extproc.process.envoy import envoy_binary


def test_the_wheels_envoy_is_found() -> None:
    assert Path(envoy_binary()).is_file()


def test_an_envoy_on_the_path_will_do() -> None:
    assert envoy_binary(lambda _: None, "/usr/bin/{}".format) == "/usr/bin/envoy"


def test_a_missing_envoy_is_said_with_the_command_that_helps() -> None:
    with pytest.raises(ConfigError, match=r"pip install 'router-extproc\[demo\]'"):
        envoy_binary(lambda _: None, lambda _: None)
