"""The wheel, and environments into which nothing else was installed.

pip does what it does for a user: it resolves what the wheel asks for, at the versions that `make lock`
pinned, and takes the files from its cache, where `make setup` has put them. Byte code is left to the first
import.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from router_extproc.testing.environment import Environment

ROOT: Final = Path(__file__).parents[2]
#: For pip with a cold cache.
INSTALL_S: Final = 900.0


def succeed(*words: str | Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        [str(word) for word in words], capture_output=True, text=True, timeout=INSTALL_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from a copy: building in place would leave a build/ that goes into the next one."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(
        ROOT / "router_extproc", source / "router_extproc", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, source / name)
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    succeed(*pip, source)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="session")
def pins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The versions of `make lock` as constraints: what is installed is what the other tests are run with."""
    text = (ROOT / "deploy" / "requirements.lock").read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("pins") / "constraints.txt"
    file.write_text("\n".join(re.findall(r"^([\w.-]+==[^\\\n]*)", text, re.MULTILINE)), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """For what is large: pytest would keep it for three runs."""
    with tempfile.TemporaryDirectory(prefix="router-extproc-wheel-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def base_root(wheel: Path, pins: Path, place: Path) -> Path:
    """`pip install router_extproc-*.whl` in an empty environment."""
    root = place / "base"
    try:
        succeed(sys.executable, "-m", "venv", root)
    except AssertionError:  # some systems ship Python without ensurepip (see Makefile)
        succeed(sys.executable, "-m", "venv", "--clear", "--without-pip", root)
        succeed(sys.executable, "-m", "pip", "--python", root / "bin" / "python", "install", "pip")
    _install(root, pins, str(wheel))
    return root


@pytest.fixture(scope="session")
def whole_root(base_root: Path, wheel: Path, pins: Path, place: Path) -> Path:
    """`pip install 'router-extproc[build,demo]'`, as commands that lack an extra say.

    It starts as a copy of the base, of hard links.
    """
    root = place / "whole"
    shutil.copytree(base_root, root, copy_function=os.link, symlinks=True)
    # The scripts name the environment that they were made for.
    _install(root, pins, "--force-reinstall", "--no-deps", str(wheel))
    _install(root, pins, "router-extproc[build,demo]")
    return root


def _install(root: Path, pins: Path, *words: str) -> None:
    pip = (root / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--no-input", "install")
    succeed(*pip, "--quiet", "--no-compile", "--constraint", pins, *words)


@pytest.fixture(scope="session")
def no_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which nothing was built."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def base(base_root: Path, no_models: Path, tmp_path: Path) -> Environment:
    """The base install, in an empty folder; no model has been built."""
    return Environment(base_root, no_models, tmp_path)


@pytest.fixture(scope="session")
def built(whole_root: Path, place: Path) -> Environment:
    """The install with [build,demo], after `router-extproc models build`."""
    made = Environment(whole_root, home=place / "home", folder=place)
    done = made.run("router-extproc", "models", "build")
    assert done.returncode == 0, done.stderr
    assert "cosine to float32 0.99" in done.stdout
    return made


@pytest.fixture
def whole(built: Environment, tmp_path: Path) -> Environment:
    """The install with [build,demo] and its models, in an empty folder."""
    return built.within(tmp_path)
