"""A picture that cannot be drawn is refused before anything is measured."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from router_extproc.bench.plot import open_plot
from router_extproc.errors import ConfigError


def draw(left: object, right: object, figures: object) -> None:
    raise AssertionError(f"drew {figures} into {left} and {right}")


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        open_plot(tmp_path / "absent" / "out.png", draw)


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError, match=r"pip install .*\[training\]"):
        open_plot(tmp_path / "out.png", draw)
