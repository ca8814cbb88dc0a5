"""Moves outliers from activations into weights, so that int8 loses less.

The float32 graph computes the same as before. A few channels of the hidden state are far larger than the
rest and would take the whole int8 range of a pass; each channel is divided by a factor, and the row of the
weight matrix that reads it is multiplied by it.

Source: Xiao and others, "SmoothQuant", 2022, equation 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from router_extproc.models.onnx.session import open_session, run_session

#: How much of the range moves to the weights; measured on prompts: 0.5 gives a mean cosine to
#: float32 of 0.991, 0.7 gives 0.997, none at all 0.993.
MIGRATION = 0.7
#: Smaller peaks count as this, so that a dead channel has a finite factor.
PEAK_MIN = 1e-5
#: Operators that multiply their first input by the matrix in their second.
PRODUCTS = frozenset({"MatMul", "Attention"})

Peaks = Mapping[str, NDArray[np.float32]]


def smooth_graph(model: onnx.ModelProto, peaks: Peaks) -> None:
    """Insert the factors before every matrix product of the graph, in place."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type in PRODUCTS:
            nodes.append(smooth_product(model.graph, node, tensors[node.input[1]], peaks[node.input[0]]))
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def smooth_product(
    graph: onnx.GraphProto, node: onnx.NodeProto, kernel: onnx.TensorProto, peak: NDArray[np.float32]
) -> onnx.NodeProto:
    """Scale the kernel's rows and redirect the product to the scaled input; the node that scales it."""
    weights = numpy_helper.to_array(kernel)
    factors = find_factors(peak, np.abs(weights).max(axis=1))
    kernel.CopyFrom(numpy_helper.from_array(weights * factors[:, None], kernel.name))
    name = f"{node.name}.smooth"
    graph.initializer.append(numpy_helper.from_array(1 / factors, f"{name}.factors"))
    scale = helper.make_node("Mul", [node.input[0], f"{name}.factors"], [name], name=name)
    node.input[0] = name
    return scale


def find_factors(peak: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """One factor a channel, float32[channels], from the peaks of activation and weight."""
    factors = np.maximum(peak, PEAK_MIN) ** MIGRATION / np.maximum(weight, PEAK_MIN) ** (1 - MIGRATION)
    return np.asarray(factors / np.exp(np.log(factors).mean()), np.float32)


# Any: token ids, or the states of another graph.
def measure_peaks(model: onnx.ModelProto, texts: Iterable[NDArray[Any]], scratch: Path) -> Peaks:
    """The largest magnitude of every channel that a matrix product reads, over all texts.

    texts: what the graph's one input takes, for each text. `scratch` names a file that may be overwritten.
    """
    names = sorted({node.input[0] for node in model.graph.node if node.op_type in PRODUCTS})
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    onnx.save(probe, scratch)
    session = open_session(scratch, where="")
    input_name = session.get_inputs()[0].name
    peaks: dict[str, NDArray[np.float32]] = {}
    for ids in texts:
        found = run_session(session, names, {input_name: ids}, stage="build")
        for name, values in zip(names, found, strict=True):
            peak = np.abs(values).max(axis=(0, 1))
            peaks[name] = np.maximum(peaks.get(name, peak), peak)
    return peaks
