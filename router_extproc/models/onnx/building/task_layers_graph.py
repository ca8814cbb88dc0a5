"""Writes the graphs of the task layers: fine-tuned upper layers on the encoder's lower ones, in one pass.

It is not training. The rule it keeps: the encoder's own vectors do not change by what is joined to it;
only the upper layers of the tasks are shipped.
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
from router_extproc.models.onnx.building.pair_graph import merge_opsets, rename
from router_extproc.models.onnx.tensors import STATES, TAG_SCORES, TASK_VECTOR

#: Before the names of what is joined to the encoder.
PREFIX = "tasks."


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


def join_tasks(encoder: onnx.ModelProto, upper: onnx.ModelProto, shared_layers: int) -> onnx.ModelProto:
    """One graph from token ids to the encoder's vector and the tasks' outputs."""
    outputs = {output.name: output.name for output in upper.graph.output}
    own = rename(upper, PREFIX, keep=set(), places={STATES: states_name(shared_layers), **outputs})
    graph = helper.make_graph(
        [*encoder.graph.node, *own.node],
        "encoder_with_tasks",
        list(encoder.graph.input),
        [*encoder.graph.output, *upper.graph.output],
        initializer=[*encoder.graph.initializer, *own.initializer],
    )
    return helper.make_model(
        graph,
        opset_imports=merge_opsets(encoder, upper),
        ir_version=IR_VERSION,
        producer_name="router-extproc",
    )
