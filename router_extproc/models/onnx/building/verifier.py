"""Builds the verifier's graphs: the shipped upper layers on the lower ones of MiniLM.

Only what training changed is shipped; embeddings and lower layers come from the packaged weights. Both are
compared with their checksums.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.building.encoder import plain_tokenizer, quantise
from router_extproc.models.onnx.building.graph import separate_normalisations
from router_extproc.models.onnx.building.pair_graph import write_lower
from router_extproc.models.onnx.building.replace_folder import replace_folder
from router_extproc.models.onnx.building.source import Source, read_architecture, read_weights
from router_extproc.models.onnx.building.weights import OpenSource
from router_extproc.models.onnx.home import TOKENIZER_NAME, built_name
from router_extproc.models.onnx.manifest import read_manifest, record_file, record_files, write_manifest
from router_extproc.models.onnx.verifier_open import (
    ARTIFACT,
    LOWER_NAME,
    UPPER_NAME,
    VerifierManifest,
)


def build_verifier(models: Path, open_source: OpenSource, *, artifact: Path = ARTIFACT) -> VerifierManifest:
    """Make both graphs in `models/<built_name>`, in place of what is there.

    Raises:
        ConfigError: the artifact or the weights are missing, damaged or others.
    """
    shipped = read_manifest(artifact, VerifierManifest, where="")
    folder = models / built_name(shipped.identity)
    source = open_source()
    if record_file(source.weights).sha256 != shipped.source_sha256:
        raise ConfigError("", f"{shipped.identity} was trained on other weights than {source.weights} holds")
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models, prefix=".build-") as scratch:
        made = Path(scratch) / "verifier"
        made.mkdir()
        manifest = make_verifier(source, shipped, artifact, made)
        replace_folder(made, folder, spare=Path(scratch) / "previous")
    return manifest


def make_verifier(
    source: Source, shipped: VerifierManifest, artifact: Path, folder: Path
) -> VerifierManifest:
    """Fill the folder: graph, tokenizer, manifest."""
    with tempfile.TemporaryDirectory() as scratch:
        float_lower = Path(scratch) / "float.onnx"
        graph = write_lower(read_weights(source), read_architecture(source), shipped.lower_layers)
        onnx.save(graph, float_lower)
        quantise(float_lower, folder / LOWER_NAME)
    place_graph(artifact / UPPER_NAME, folder / UPPER_NAME)
    plain_tokenizer(source.tokenizer).save(str(folder / TOKENIZER_NAME))
    manifest = shipped.model_copy(
        update={"files": record_files(folder, (LOWER_NAME, UPPER_NAME, TOKENIZER_NAME))}
    )
    write_manifest(folder, manifest)
    return manifest


def place_graph(shipped: Path, target: Path) -> None:
    """Write a graph as this version runs it; what it computes stays the same."""
    graph = onnx.load(shipped)
    separate_normalisations(graph)
    onnx.save(graph, target)
