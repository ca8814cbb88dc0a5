"""Writes the graphs of the task layers: fine-tuned upper layers on the encoder's lower ones, in one pass.

Only the tasks' upper layers are shipped; the encoder's own vectors stay as they are.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from router_extproc.models.onnx.building.graph import (
    IR_VERSION,
    MICROSOFT,
    OPSET,
    Architecture,
    GraphWriter,
    Weights,
    write_layer,
)
from router_extproc.models.onnx.tensors import STATES, TAG_SCORES, TASK_VECTOR


def write_task_layers(weights: Weights, shape: Architecture, first_layer: int) -> onnx.ModelProto:
    """`states` to `task_vector` and `tag_scores` (each token's sum to one).

    weights: under the names of `training.task_layers.net.TaskLayersNet`.
    """
    writer = GraphWriter()
    layers = {
        f"encoder.layer.{name.removeprefix('trunk.')}": value
        for name, value in weights.items()
        if name.startswith("trunk.")
    }
    hidden = STATES
    for index in range(first_layer, shape.layers):
        hidden = write_layer(writer, layers, shape, index, hidden)
    axis = writer.constant("token_axis", np.array([1], np.int64))
    writer.node("ReduceMean", [hidden, axis], TASK_VECTOR, keepdims=0)
    kernel = writer.constant("tags.kernel", weights["tags.weight"].T)
    bias = writer.constant("tags.bias", weights["tags.bias"])
    product = writer.node("MatMul", [hidden, kernel], "tags.product")
    writer.node("Softmax", [writer.node("Add", [product, bias], "tags.logits")], TAG_SCORES, axis=-1)
    tags = len(weights["tags.bias"])
    graph = helper.make_graph(
        writer.nodes,
        "task_layers",
        [helper.make_tensor_value_info(STATES, TensorProto.FLOAT, ["batch", "tokens", shape.dim])],
        [
            helper.make_tensor_value_info(TASK_VECTOR, TensorProto.FLOAT, ["batch", shape.dim]),
            helper.make_tensor_value_info(TAG_SCORES, TensorProto.FLOAT, ["batch", "tokens", tags]),
        ],
        initializer=writer.initializers,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="router-extproc"
    )


def states_name(shared_layers: int) -> str:
    """The encoder's tensor that the upper graph reads."""
    return f"layer{shared_layers - 1}.output"
