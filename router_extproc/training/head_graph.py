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

from router_extproc.models.onnx.graph import IR_VERSION, OPSET, TASK_VECTOR, VECTOR
from router_extproc.models.onnx.heads import HEAD_NAME, SCORES
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


@dataclass(frozen=True, slots=True)
class TaskHead:
    """A layer over the task vector, and a net over the encoder's vector whose logits are added."""

    #: float32[dim, labels].
    kernel: Matrix
    bias: Matrix
    #: None: the task vector says it all.
    beside: Net | None = None

    def logits(self, task_vectors: Matrix, vectors: Matrix) -> Matrix:
        """What it says, before the softmax; float32[n, dim] each."""
        own = task_vectors @ self.kernel + self.bias
        return np.asarray(own if self.beside is None else own + self.beside.logits(vectors), np.float32)


def write_task_head(
    folder: Path, head: TaskHead, *, name: str, labels: Sequence[str], encoder: str, temperature: float
) -> HeadManifest:
    """The same for a head of the task layers; encoder: their identity."""
    graph = task_head_graph(head, temperature)
    return write_graph(folder, graph, HeadFacts(name, labels, encoder, head.kernel.shape[0], temperature))


def task_head_graph(head: TaskHead, temperature: float) -> onnx.ModelProto:
    """float32 `task_vector`, and `vector` where it is read, [batch, dim] each, to float32 `scores`."""
    scale = np.float32(1 / temperature)
    constants = {"task.kernel": head.kernel * scale, "task.bias": head.bias * scale}
    dim, labels = head.kernel.shape
    last = "logits" if head.beside is None else "task.logits"
    nodes = [helper.make_node("Gemm", [TASK_VECTOR, "task.kernel", "task.bias"], [last])]
    if head.beside is None:
        return finish_head(nodes, constants, [TASK_VECTOR], dim=dim, labels=labels)
    beside, of_net = net_nodes(head.beside, scale, "beside")
    nodes += [*beside, helper.make_node("Add", [last, "beside"], ["logits"])]
    return finish_head(nodes, {**constants, **of_net}, [TASK_VECTOR, VECTOR], dim=dim, labels=labels)


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
    nodes, constants = net_nodes(net, np.float32(1 / temperature), "logits")
    dim, labels = net.hidden_kernel.shape[0], net.output_bias.shape[0]
    return finish_head(nodes, constants, [VECTOR], dim=dim, labels=labels)


def net_nodes(net: Net, scale: np.float32, output: str) -> tuple[list[onnx.NodeProto], dict[str, Matrix]]:
    """From `vector` to the net's scaled logits, and their constants."""
    constants = {
        "hidden.kernel": net.hidden_kernel,
        "hidden.bias": net.hidden_bias,
        "output.kernel": net.output_kernel * scale,
        "output.bias": net.output_bias * scale,
    }
    nodes = [
        helper.make_node("Gemm", [VECTOR, "hidden.kernel", "hidden.bias"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "output.kernel", "output.bias"], [output]),
    ]
    return nodes, constants


def finish_head(
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, Matrix],
    inputs: Sequence[str],
    *,
    dim: int,
    labels: int,
) -> onnx.ModelProto:
    """The model from float32[batch, dim] inputs to the softmax of `logits`."""
    graph = helper.make_graph(
        [*nodes, helper.make_node("Softmax", ["logits"], [SCORES], axis=-1)],
        "classifier_head",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", dim]) for name in inputs],
        [helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, ["batch", labels])],
        initializer=[
            numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()
        ],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="router-extproc"
    )
