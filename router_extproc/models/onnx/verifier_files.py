"""The verifier on disk: the shipped upper layers, and the whole graph that `models build` makes of them.

It is not the verifier. The rule it keeps: what is shipped holds only what training changed; embeddings
and lower layers come from the packaged MiniLM when it is built, and both are checked by checksum.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Literal

import onnx
from pydantic import BaseModel, ConfigDict, Field

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.build import plain_tokenizer, quantise
from router_extproc.models.onnx.encoder import WindowTokenizer
from router_extproc.models.onnx.evidence import EVIDENCE
from router_extproc.models.onnx.heads import ARTIFACTS
from router_extproc.models.onnx.home import TOKENIZER_NAME, home, models_folder
from router_extproc.models.onnx.manifest import (
    Manifest,
    read_manifest,
    record_file,
    record_files,
    write_manifest,
)
from router_extproc.models.onnx.open import BUILD_COMMAND, open_tokenizer
from router_extproc.models.onnx.pair_graph import join_graphs, write_lower
from router_extproc.models.onnx.session import open_session
from router_extproc.models.onnx.source import Source, find_source, read_architecture, read_weights
from router_extproc.models.onnx.verifier import WINDOW_TOKENS, Calibration, OnnxVerifier

#: The shipped part.
ARTIFACT = ARTIFACTS / "verifier"
UPPER_NAME = "upper.onnx"
GRAPH_NAME = "model.onnx"


class CalibrationRecord(BaseModel):
    """See verifier.Calibration; the evidence by its names, so that a change of order cannot pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    logit: float
    similarity: float
    evidence: dict[str, float]
    offset: float
    chance_min: float = Field(gt=0, lt=1)


class VerifierManifest(Manifest):
    """A verifier: its graph, or the upper part of it, and how its logit is read."""

    format: Literal["router-extproc verifier 1"] = "router-extproc verifier 1"
    identity: str
    #: Layers that read each question by itself and come from the source.
    lower_layers: int = Field(ge=1)
    source_sha256: str
    #: With the similarity of the built-in encoder.
    calibration: CalibrationRecord
    #: With any other encoder, whose similarities mean something else.
    calibration_alone: CalibrationRecord


def build_verifier(models: Path, *, artifact: Path = ARTIFACT, force: bool = False) -> VerifierManifest:
    """Make the whole graph in `models/<identity>`, or keep it when it is there and whole.

    Raises:
        ConfigError: the artifact or the source package is missing, damaged or another one.
    """
    shipped = read_manifest(artifact, VerifierManifest, where="")
    folder = models / shipped.identity
    if not force and (built := find_built(folder)) and built.calibration == shipped.calibration:
        return built
    source = find_source()
    if record_file(source.weights).sha256 != shipped.source_sha256:
        raise ConfigError("", f"{shipped.identity} was trained on other weights than {source.weights} holds")
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models, prefix=".build-") as scratch:
        made = Path(scratch) / "verifier"
        made.mkdir()
        manifest = make_verifier(source, shipped, artifact, made)
        replace_folder(made, folder, spare=Path(scratch) / "previous")
    return manifest


def find_built(folder: Path) -> VerifierManifest | None:
    """The manifest of a whole earlier build, or None."""
    try:
        return read_manifest(folder, VerifierManifest, where="")
    except ConfigError:
        return None


def make_verifier(
    source: Source, shipped: VerifierManifest, artifact: Path, folder: Path
) -> VerifierManifest:
    """Fill the folder: graph, tokenizer, manifest."""
    with tempfile.TemporaryDirectory() as scratch:
        float_lower, lower = Path(scratch) / "float.onnx", Path(scratch) / "lower.onnx"
        graph = write_lower(read_weights(source), read_architecture(source), shipped.lower_layers)
        onnx.save(graph, float_lower)
        quantise(float_lower, lower)
        onnx.save(join_graphs(onnx.load(lower), onnx.load(artifact / UPPER_NAME)), folder / GRAPH_NAME)
    plain_tokenizer(source.tokenizer).save(str(folder / TOKENIZER_NAME))
    manifest = shipped.model_copy(update={"files": record_files(folder, (GRAPH_NAME, TOKENIZER_NAME))})
    write_manifest(folder, manifest)
    return manifest


def replace_folder(made: Path, folder: Path, *, spare: Path) -> None:
    """Rename the finished folder to its name; an earlier one steps aside into `spare`."""
    if folder.exists():
        os.rename(folder, spare)  # noqa: PTH104 - pathlib's rename, but said plainly
    try:
        os.rename(made, folder)  # noqa: PTH104
    except OSError:
        # Another process was faster; what it built is the same.
        shutil.rmtree(made)


def open_verifier(
    folder: Path | None = None, *, own_encoder: bool = True, threads: int = 1, where: str = "semantic_cache"
) -> OnnxVerifier:
    """The verifier of a folder; None: the one that `models build` made.

    own_encoder: similarities come from the built-in encoder; otherwise they are left out of account.

    Raises:
        ConfigError: it has not been built, or is damaged.
    """
    place = folder or built_folder(where=where)
    manifest = read_manifest(place, VerifierManifest, where=where)
    record = manifest.calibration if own_encoder else manifest.calibration_alone
    session = open_session(place / GRAPH_NAME, threads=threads, where=where)
    tokenizer = WindowTokenizer(open_tokenizer(place / TOKENIZER_NAME, where=where), max_tokens=WINDOW_TOKENS)
    return OnnxVerifier(session, tokenizer, calibration_of(record, where=where), chance_min=record.chance_min)


def built_folder(*, where: str) -> Path:
    """Where `models build` put the shipped verifier."""
    shipped = read_manifest(ARTIFACT, VerifierManifest, where=where)
    folder = models_folder(home()) / shipped.identity
    if not folder.is_dir():
        raise ConfigError(
            where, f"the verifier has not been built ({folder} is missing): run `{BUILD_COMMAND}`"
        )
    return folder


def calibration_of(record: CalibrationRecord, *, where: str) -> Calibration:
    """The weights in the order of EVIDENCE. Raises ConfigError when they are for other evidence."""
    if set(record.evidence) != set(EVIDENCE):
        raise ConfigError(where, "the verifier was calibrated on other evidence than this version reads")
    weights = tuple(record.evidence[name] for name in EVIDENCE)
    return Calibration(record.logit, record.similarity, weights, record.offset)
