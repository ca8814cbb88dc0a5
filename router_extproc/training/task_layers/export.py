"""Writes the trained task layers as an int8 artifact.

What is written is what is judged, int8 and all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from router_extproc.models.onnx.building.encoder import quantise
from router_extproc.models.onnx.building.graph import Weights
from router_extproc.models.onnx.building.smooth_quant import measure_peaks, smooth_graph
from router_extproc.models.onnx.building.source import read_architecture
from router_extproc.models.onnx.building.task_layers_graph import write_task_layers
from router_extproc.models.onnx.building.weights import opened_weights
from router_extproc.models.onnx.home import IDENTITY
from router_extproc.models.onnx.manifest import record_file, record_files, write_manifest
from router_extproc.models.onnx.task_layers import TASKS_NAME, TaskLayersManifest
from router_extproc.training.task_layers.rows import SPAN_KINDS
from router_extproc.training.task_layers.states import SHARED_LAYERS, States

#: Texts over which the activations' peaks are measured.
CALIBRATION_TEXTS = 400
SEED = 3


def export_layers(weights: Weights, states: States, folder: Path) -> TaskLayersManifest:
    """Write `tasks.onnx` and its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    with opened_weights() as open_source:
        shape = read_architecture(open_source())
    graph = write_task_layers(weights, shape, SHARED_LAYERS)
    with tempfile.TemporaryDirectory() as scratch:
        smooth_graph(graph, measure_peaks(graph, draw_states(states), Path(scratch) / "probe.onnx"))
        onnx.save(graph, Path(scratch) / "float.onnx")
        quantise(Path(scratch) / "float.onnx", folder / TASKS_NAME)
    digest = record_file(folder / TASKS_NAME).sha256
    manifest = TaskLayersManifest(
        identity=f"minilm-tasks-int8-{digest[:8]}",
        encoder=IDENTITY,
        shared_layers=SHARED_LAYERS,
        names=SPAN_KINDS,
        files=record_files(folder, (TASKS_NAME,)),
    )
    write_manifest(folder, manifest)
    return manifest


def draw_states(states: States) -> Iterable[NDArray[np.float32]]:
    """The states of some texts, float32[1, tokens, dim] each."""
    texts = list(states.place)
    for index in np.random.default_rng(SEED).permutation(len(texts))[:CALIBRATION_TEXTS]:
        yield states.hidden[states.of(texts[index])].astype(np.float32)[None]
