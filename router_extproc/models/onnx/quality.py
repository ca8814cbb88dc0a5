"""Expected quality of several models' answers, learned from a user's own evaluation table.

A kernel regression: how near a prompt is to some prompts of the table (landmarks), by the encoder's vector,
the task layers' and the features of the text, says by how much each model does better or worse there than on
average. Far from all of them each model gets its average. `QualityKernel` fits `models.base.QualityModel`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from router_extproc.errors import ConfigError
from router_extproc.models.base import Encoder, Encoding
from router_extproc.models.onnx.manifest import (
    MANIFEST_NAME,
    Manifest,
    read_manifest,
    record_files,
    write_manifest,
)
from router_extproc.models.text_features import FEATURES, VERSION, read_text

FILE_NAME: Final = "quality.npz"
Array = NDArray[np.float32]


class ModelRecord(BaseModel):
    """One model of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    #: Mean score over the table.
    mean: float
    #: Rows that have a score of it.
    rows: int = Field(ge=1)
    input_per_mtok: float = Field(ge=0)
    output_per_mtok: float = Field(ge=0)
    #: Expected length of an answer.
    answer_tokens: float = Field(gt=0)


class QualityManifest(Manifest):
    """Expected quality of models: `quality.npz`."""

    format: Literal["router-extproc selection 1"] = "router-extproc selection 1"
    models: tuple[ModelRecord, ...] = Field(min_length=2)
    #: Identity of the encoder whose vectors it reads, and of its task layers; None: it reads none.
    encoder: str
    tasks: str | None
    dim: int = Field(ge=1)
    features: int
    gamma: float = Field(gt=0)
    #: Rows of the table that it was trained on.
    rows: int


@dataclass(frozen=True, slots=True)
class KernelParts:
    """The arrays of a kernel; n models, m landmarks, d inputs."""

    #: float32[d]: what is taken from the inputs, and what they are then multiplied by.
    shift: Array
    scale: Array
    #: float32[m, d], shifted and scaled.
    landmarks: Array
    #: float32[m, n].
    weights: Array
    #: float32[n].
    means: Array

    def check(self, *, inputs: int, models: int) -> bool:
        """Whether the shapes fit one another, and every number is one."""
        shapes = (self.shift.shape, self.scale.shape, self.landmarks.shape[1:], self.means.shape)
        right = shapes == ((inputs,), (inputs,), (inputs,), (models,))
        arrays = (self.shift, self.scale, self.landmarks, self.weights, self.means)
        finite = all(np.isfinite(each).all() for each in arrays)
        return right and self.weights.shape == (len(self.landmarks), models) and finite


class QualityKernel:
    """Safe to call from several threads."""

    def __init__(self, parts: KernelParts, manifest: QualityManifest) -> None:
        self._parts, self._gamma = parts, manifest.gamma
        self._squares = np.einsum("ij,ij->i", parts.landmarks, parts.landmarks)
        self.manifest = manifest
        self.models: Sequence[str] = tuple(each.name for each in manifest.models)
        self.answer_tokens: Mapping[str, float] = {each.name: each.answer_tokens for each in manifest.models}
        self.reads_tasks = manifest.tasks is not None

    def qualities(self, text: str, encoding: Encoding) -> Mapping[str, float]:
        """See models.base.QualityModel."""
        inputs = inputs_of(text, encoding, tasks=self.reads_tasks)
        if inputs is None:
            return {}
        parts = self._parts
        place = (inputs - parts.shift) * parts.scale
        distances = self._squares - 2 * (parts.landmarks @ place) + place @ place
        near = np.exp(-self._gamma * np.maximum(distances, 0))
        expected = np.clip(parts.means + near @ parts.weights, 0, 1)
        return dict(zip(self.models, expected.tolist(), strict=True))


def inputs_of(text: str, encoding: Encoding, *, tasks: bool) -> Array | None:
    """What a kernel reads, float32[d]; None: the task layers were not run."""
    features = read_text(text)
    if not tasks:
        return np.concatenate((encoding.vector, features))
    if encoding.tasks is not None:
        return np.concatenate((encoding.vector, encoding.tasks.vector, features))
    if encoding.tokens:
        return None
    # No layer reads a text without tokens.
    return np.concatenate((encoding.vector, np.zeros_like(encoding.vector), features))


def write_quality(folder: Path, parts: KernelParts, manifest: QualityManifest) -> None:
    """Write both files; the manifest's own records are made here."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / FILE_NAME,
        shift=parts.shift,
        scale=parts.scale,
        landmarks=parts.landmarks,
        weights=parts.weights,
        means=parts.means,
    )
    write_manifest(folder, manifest.model_copy(update={"files": record_files(folder, [FILE_NAME])}))


def read_quality_manifest(folder: Path, *, where: str) -> QualityManifest:
    """What a folder says of its models.

    Raises:
        ConfigError: there is none, or it is damaged.
    """
    if not (folder / MANIFEST_NAME).is_file():
        raise ConfigError(where, f"no folder of `train selection` at '{folder}'")
    return read_manifest(folder, QualityManifest, where=where)


def open_quality(folder: Path, *, encoder: Encoder, where: str) -> QualityKernel:
    """The model of a folder; `where` is its YAML path.

    Raises:
        ConfigError: there is none, it is damaged, or it reads another encoder's vectors.
    """
    manifest = read_quality_manifest(folder, where=where)
    known = (encoder.identity, encoder.task_identity, encoder.dim)
    if (manifest.encoder, manifest.tasks or encoder.task_identity, manifest.dim) != known:
        raise ConfigError(where, f"{folder} was trained on the vectors of {manifest.encoder}; train it anew")
    parts = _read_parts(folder, where=where)
    inputs = manifest.dim * (1 if manifest.tasks is None else 2) + len(FEATURES)
    if manifest.features != VERSION or not parts.check(inputs=inputs, models=len(manifest.models)):
        raise ConfigError(where, f"{folder / FILE_NAME} is not what its manifest says; train it anew")
    return QualityKernel(parts, manifest)


def _read_parts(folder: Path, *, where: str) -> KernelParts:
    try:
        with np.load(folder / FILE_NAME, allow_pickle=False) as file:
            names = ("shift", "scale", "landmarks", "weights", "means")
            return KernelParts(*(np.asarray(file[name], np.float32) for name in names))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(where, f"{folder / FILE_NAME} cannot be read") from error
