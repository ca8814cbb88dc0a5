"""Builds the encoder with task layers: the built encoder in two parts, and the shipped layers beside it.

Both parts together compute what the whole encoder computes. A folder with a manifest is complete.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx
from onnx.utils import Extractor

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.building.replace_folder import replace_folder
from router_extproc.models.onnx.building.task_layers_graph import states_name
from router_extproc.models.onnx.building.verifier import place_graph
from router_extproc.models.onnx.home import IDENTITY, MODEL_NAME, built_name
from router_extproc.models.onnx.manifest import read_manifest, record_files, write_manifest
from router_extproc.models.onnx.task_layers import (
    ARTIFACT,
    LOWER_NAME,
    TASKS_NAME,
    UPPER_NAME,
    TaskLayersManifest,
)
from router_extproc.models.onnx.tensors import INPUT_IDS, STATES, VECTOR


def build_task_layers(models: Path, *, artifact: Path = ARTIFACT) -> TaskLayersManifest:
    """Make `models/<built_name>` from the encoder that was built there, in place of what is there.

    Raises:
        ConfigError: the encoder or the artifact is missing, damaged or another one.
    """
    shipped = read_manifest(artifact, TaskLayersManifest, where="")
    if shipped.encoder != IDENTITY:
        raise ConfigError("", f"{shipped.identity} was trained on the lower layers of {shipped.encoder}")
    folder = models / built_name(shipped.identity)
    with tempfile.TemporaryDirectory(dir=models, prefix=".build-") as scratch:
        made = Path(scratch) / "task_layers"
        made.mkdir()
        split_encoder(models / built_name(IDENTITY) / MODEL_NAME, made, shipped.shared_layers)
        place_graph(artifact / TASKS_NAME, made / TASKS_NAME)
        files = record_files(made, (LOWER_NAME, UPPER_NAME, TASKS_NAME))
        manifest = shipped.model_copy(update={"files": files})
        write_manifest(made, manifest)
        replace_folder(made, folder, spare=Path(scratch) / "previous")
    return manifest


def split_encoder(model: Path, folder: Path, shared_layers: int) -> None:
    """Write both parts of an encoder's graph; what passes between them is called STATES."""
    cut = states_name(shared_layers)
    graph = onnx.load(model)
    # The extractor looks for the types of what passes; int8 graphs know only those of their ends.
    graph.graph.value_info.append(
        onnx.helper.make_tensor_value_info(cut, onnx.TensorProto.FLOAT, ["batch", "tokens", dim_of(graph)])
    )
    extractor = Extractor(graph)
    for inputs, outputs, name in (([INPUT_IDS], [cut], LOWER_NAME), ([cut], [VECTOR], UPPER_NAME)):
        part = extractor.extract_model(inputs, outputs)
        rename_tensor(part.graph, cut, STATES)
        onnx.save(part, folder / name)


def dim_of(model: onnx.ModelProto) -> int:
    """Length of the encoder's vectors."""
    return int(model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value)


def rename_tensor(graph: onnx.GraphProto, old: str, new: str) -> None:
    """Give one tensor another name, everywhere."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
    for info in (*graph.input, *graph.output):
        if info.name == old:
            info.name = new
