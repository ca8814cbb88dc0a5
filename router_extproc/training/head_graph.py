"""Writes a trained net as a head: a small ONNX graph with its manifest.

It is not the runtime (`models.onnx.heads`). The rule it keeps: the same net gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from router_extproc.models.onnx.graph import IR_VERSION, OPSET
from router_extproc.models.onnx.heads import HEAD_NAME, SCORES, VECTOR
from router_extproc.models.onnx.manifest import HeadManifest, record_files, write_manifest
from router_extproc.training.net import Net


def write_head(
    folder: Path, net: Net, *, name: str, labels: Sequence[str], encoder: str, temperature: float
) -> HeadManifest:
    """Put `head.onnx` and its manifest into the folder; encoder: its identity."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(head_graph(net, temperature), folder / HEAD_NAME)
    manifest = HeadManifest(
        name=name,
        task="intent",
        labels=tuple(labels),
        encoder=encoder,
        dim=net.hidden_kernel.shape[0],
        temperature=temperature,
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
        helper.make_node("Softmax", ["logits"], [SCORES], axis=-1),
    ]
    dim, labels = net.hidden_kernel.shape[0], net.output_bias.shape[0]
    graph = helper.make_graph(
        nodes,
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
