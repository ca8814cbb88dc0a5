"""Writes a trained net as a head: a small ONNX graph with its manifest.

It is not the runtime (`models.onnx.heads`). The rule it keeps: the same net gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from router_extproc.models.onnx.graph import IR_VERSION, OPSET
from router_extproc.models.onnx.heads import HEAD_NAME, SCORES, VECTOR
from router_extproc.models.onnx.manifest import HeadManifest, record_files, write_manifest
from router_extproc.training.net import Matrix, Net


def write_head(
    folder: Path, net: Net, *, name: str, labels: Sequence[str], encoder: str, temperature: float
) -> HeadManifest:
    """Put `head.onnx` and its manifest into the folder; encoder: its identity."""
    graph = head_graph(net, temperature)
    return write_graph(
        folder,
        graph,
        HeadFacts(name, labels, encoder, net.hidden_kernel.shape[0], temperature),
    )


def write_linear_head(
    folder: Path,
    kernel: Matrix,
    bias: Matrix,
    *,
    name: str,
    labels: Sequence[str],
    encoder: str,
    temperature: float,
) -> HeadManifest:
    """The same for a head without a hidden layer; kernel: float32[dim, labels]."""
    scale = np.float32(1 / temperature)
    constants = {"kernel": kernel * scale, "bias": bias * scale}
    nodes = [helper.make_node("Gemm", [VECTOR, "kernel", "bias"], ["logits"])]
    graph = finish_head(nodes, constants, dim=kernel.shape[0], labels=kernel.shape[1])
    return write_graph(folder, graph, HeadFacts(name, labels, encoder, kernel.shape[0], temperature))


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What a head's manifest says of it."""

    name: str
    labels: Sequence[str]
    #: Identity of what made the vectors.
    encoder: str
    dim: int
    temperature: float


def write_graph(folder: Path, graph: onnx.ModelProto, facts: HeadFacts) -> HeadManifest:
    """Put a graph and its manifest into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, folder / HEAD_NAME)
    manifest = HeadManifest(
        name=facts.name,
        task="intent",
        labels=tuple(facts.labels),
        encoder=facts.encoder,
        dim=facts.dim,
        temperature=facts.temperature,
        files=record_files(folder, (HEAD_NAME,)),
    )
    write_manifest(folder, manifest)
    return manifest


def head_graph(net: Net, temperature: float) -> onnx.ModelProto:
    """float32 `vector` [batch, dim] to float32 `scores` [batch, labels]."""
    scale = np.float32(1 / temperature)
    constants = {
        "hidden.kernel": net.hidden_kernel,
        "hidden.bias": net.hidden_bias,
        "output.kernel": net.output_kernel * scale,
        "output.bias": net.output_bias * scale,
    }
    nodes = [
        helper.make_node("Gemm", [VECTOR, "hidden.kernel", "hidden.bias"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "output.kernel", "output.bias"], ["logits"]),
    ]
    dim, labels = net.hidden_kernel.shape[0], net.output_bias.shape[0]
    return finish_head(nodes, constants, dim=dim, labels=labels)


def finish_head(
    nodes: Sequence[onnx.NodeProto], constants: Mapping[str, Matrix], *, dim: int, labels: int
) -> onnx.ModelProto:
    """The model that ends in the softmax of `logits`."""
    graph = helper.make_graph(
        [*nodes, helper.make_node("Softmax", ["logits"], [SCORES], axis=-1)],
        "classifier_head",
        [helper.make_tensor_value_info(VECTOR, TensorProto.FLOAT, ["batch", dim])],
        [helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, ["batch", labels])],
        initializer=[
            numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()
        ],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="router-extproc"
    )
