from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the generator writes now."""
    folder = tmp_path_factory.mktemp("pb")
    subprocess.run([sys.executable, ROOT / "protos/generate.py", folder], check=True, timeout=60)  # noqa: S603
    return folder


@pytest.mark.parametrize("name", ["__init__.py", "ext_proc_pb2.py", "ext_proc_pb2.pyi"])
def test_the_checked_in_stubs_are_what_the_generator_writes(written: Path, name: str) -> None:
    assert (written / name).read_text() == (ROOT / "router_extproc/_pb" / name).read_text()
