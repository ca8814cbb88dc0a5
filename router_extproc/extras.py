"""Packages that not everybody needs: the extra that brings them, and the sentence that names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias

from router_extproc.errors import ConfigError

Extra: TypeAlias = Literal["build", "demo", "training"]

#: The modules that each extra brings (pyproject.toml, optional-dependencies).
MODULES: Final[Mapping[Extra, frozenset[str]]] = {
    "build": frozenset({"onnx"}),
    "demo": frozenset({"envoy"}),
    "training": frozenset({"onnx", "matplotlib"}),
}


def missing(extra: Extra, module: str, *, what: str, where: str = "") -> ConfigError:
    """The error that says what to install; `what` is what cannot be done without the module."""
    command = f"pip install 'router-extproc[{extra}]'"
    return ConfigError(where, f"{what} needs {module}, which is not installed: run `{command}`")


@contextmanager
def needed_for(what: str, extra: Extra, *, where: str = "") -> Iterator[None]:
    """A block of imports. Raises ConfigError when a module of the extra is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in MODULES[extra]:
            raise
        raise missing(extra, module, what=what, where=where) from error
