from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.errors import ConfigProblems

#: The smallest configuration that is accepted.
SMALLEST = """\
version: 1
default_model: small
models:
  small: {cluster: vllm_small}
"""

Read = Callable[..., Config]
Problems = Callable[..., list[str]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads text as a configuration file; more files by name."""

    def read(
        text: str, *, environ: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None
    ) -> Config:
        path = tmp_path / "router.yaml"
        path.write_text(text, encoding="utf-8")
        for name, content in (files or {}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
        return read_config(path, environ=environ or {})

    return read


@pytest.fixture
def problems(read: Read) -> Problems:
    """What is wrong with a text; sections are added to the smallest configuration."""

    def problems(text: str, *, alone: bool = False, **settings: Mapping[str, str]) -> list[str]:
        try:
            read(text if alone else SMALLEST + text, **settings)
        except ConfigProblems as error:
            return [str(problem) for problem in error.problems]
        return []

    return problems
