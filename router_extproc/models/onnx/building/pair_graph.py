"""Writes the verifier's graphs: the lower layers that read one question, the upper ones that read two.

The lower graph comes from the packaged MiniLM and is never shipped; training changed only the upper one,
which is.
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
    write_embeddings,
    write_layer,
)
from router_extproc.models.onnx.tensors import ASKED, CACHED, HIDDEN, INPUT_IDS, LOGIT


def write_lower(weights: Weights, shape: Architecture, layers: int) -> onnx.ModelProto:
    """int32 `input_ids` [1, tokens] to float32 `hidden` [1, tokens, dim]: embeddings and the first layers."""
    writer = GraphWriter()
    hidden = write_embeddings(writer, weights, shape)
    for index in range(layers):
        hidden = write_layer(writer, weights, shape, index, hidden)
    writer.node("Identity", [hidden], HIDDEN)
    inputs = [helper.make_tensor_value_info(INPUT_IDS, TensorProto.INT32, [1, "tokens"])]
    return finish(
        writer, inputs, helper.make_tensor_value_info(HIDDEN, TensorProto.FLOAT, [1, "tokens", shape.dim])
    )


def write_upper(weights: Weights, shape: Architecture, first_layer: int) -> onnx.ModelProto:
    """`cached` and `asked`, float32[1, tokens, dim] each, to float32 `logit` [1].

    weights: the trained ones, under the names of `training.pair_net.PairNet`.
    """
    writer = GraphWriter()
    trunk = {name.removeprefix("trunk."): value for name, value in weights.items()}
    hidden = write_meeting(writer, weights)
    for index in range(first_layer, shape.layers):
        hidden = write_layer(writer, trunk, shape, index, hidden)
    write_judgement(writer, weights, hidden)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, f"{name}_tokens", shape.dim])
        for name in (CACHED, ASKED)
    ]
    return finish(writer, inputs, helper.make_tensor_value_info(LOGIT, TensorProto.FLOAT, [1]))


def write_meeting(writer: GraphWriter, weights: Weights) -> str:
    """Both questions in one sequence, each with the vector of its side added."""
    sides = [
        writer.node(
            "Add", [name, writer.constant(f"side.{name}", weights["side.weight"][index])], f"{name}.sided"
        )
        for index, name in enumerate((CACHED, ASKED))
    ]
    return writer.node("Concat", sides, "together", axis=1)


def write_judgement(writer: GraphWriter, weights: Weights, hidden: str) -> None:
    """Mean vectors of both questions, compared by a small net and by their cosine."""
    cached, asked = write_means(writer, hidden)
    product = writer.node("Mul", [cached, asked], "product")
    distance = writer.node("Abs", [writer.node("Sub", [cached, asked], "difference")], "distance")
    evidence = writer.node("Concat", [cached, asked, product, distance], "evidence", axis=1)
    wide = writer.node(
        "MatMul", [evidence, writer.constant("wide.kernel", weights["wide.weight"].T)], "wide.product"
    )
    active = writer.fused("BiasGelu", [wide, writer.constant("wide.bias", weights["wide.bias"])], "wide")
    narrow = writer.node(
        "MatMul", [active, writer.constant("narrow.kernel", weights["narrow.weight"].T)], "narrow"
    )
    factor, offset = weights["likeness"]
    likeness = writer.node(
        "Mul", [write_cosine(writer, cached, asked), constant(writer, "factor", factor)], "likeness"
    )
    shift = constant(writer, "offset", offset + weights["narrow.bias"][0])
    total = writer.node("Add", [writer.node("Add", [narrow, likeness], "judged"), shift], "total")
    writer.node("Squeeze", [total, writer.constant("logit.axis", np.array([1], np.int64))], LOGIT)


def write_means(writer: GraphWriter, hidden: str) -> list[str]:
    """The mean vector [1, dim] of each question's tokens."""
    axis = writer.constant("token_axis", np.array([1], np.int64))
    lengths = [writer.node("Shape", [name], f"{name}.length", start=1, end=2) for name in (CACHED, ASKED)]
    sizes = writer.node("Concat", lengths, "lengths", axis=0)
    outputs = [f"{CACHED}.tokens", f"{ASKED}.tokens"]
    writer.nodes.append(helper.make_node("Split", [hidden, sizes], outputs, name="apart", axis=1))
    return [writer.node("ReduceMean", [tokens, axis], f"{tokens}.mean", keepdims=0) for tokens in outputs]


def write_cosine(writer: GraphWriter, first: str, second: str) -> str:
    """Cosine of two vectors, [1, 1]."""
    scaled = [
        writer.node("LpNormalization", [name], f"{name}.scaled", axis=-1, p=2) for name in (first, second)
    ]
    product = writer.node("Mul", scaled, "cosine.product")
    axis = writer.constant("cosine.axis", np.array([1], np.int64))
    return writer.node("ReduceSum", [product, axis], "cosine", keepdims=1)


def constant(writer: GraphWriter, name: str, value: float) -> str:
    """A float32 scalar."""
    return writer.constant(name, np.array(value, np.float32))


def join_graphs(lower: onnx.ModelProto, upper: onnx.ModelProto) -> onnx.ModelProto:
    """One graph from both questions' ids to the logit; the lower weights are in it once."""
    nodes = [node for side in (CACHED, ASKED) for node in branch(lower, side)]
    inputs = [
        helper.make_tensor_value_info(f"{side}_ids", TensorProto.INT32, [1, f"{side}_tokens"])
        for side in (CACHED, ASKED)
    ]
    own = rename(upper, "upper.", keep={CACHED, ASKED, LOGIT})
    graph = helper.make_graph(
        [*nodes, *own.node],
        "verifier",
        inputs,
        list(upper.graph.output),
        initializer=[*lower.graph.initializer, *own.initializer],
    )
    return helper.make_model(
        graph, opset_imports=merge_opsets(lower, upper), ir_version=IR_VERSION, producer_name="router-extproc"
    )


def branch(lower: onnx.ModelProto, side: str) -> list[onnx.NodeProto]:
    """The lower graph's nodes for one question; initializers keep their names and are shared."""
    shared = {tensor.name for tensor in lower.graph.initializer}
    places = {INPUT_IDS: f"{side}_ids", HIDDEN: side}
    renamed = rename(lower, f"{side}.", keep=shared, places=places)
    return list(renamed.node)


def rename(
    model: onnx.ModelProto, prefix: str, *, keep: set[str], places: dict[str, str] | None = None
) -> onnx.GraphProto:
    """A copy of the graph in which every name has the prefix, but those kept or placed."""
    graph = onnx.GraphProto()
    graph.CopyFrom(model.graph)

    def new(name: str) -> str:
        return name if not name or name in keep else (places or {}).get(name, prefix + name)

    for node in graph.node:
        node.name = prefix + node.name
        inputs, outputs = [new(name) for name in node.input], [new(name) for name in node.output]
        del node.input[:], node.output[:]
        node.input.extend(inputs)
        node.output.extend(outputs)
    for tensor in graph.initializer:
        tensor.name = new(tensor.name)
    return graph


def merge_opsets(*models: onnx.ModelProto) -> list[onnx.OperatorSetIdProto]:
    """The newest version of every operator set that any of them uses."""
    versions: dict[str, int] = {}
    for model in models:
        for entry in model.opset_import:
            versions[entry.domain] = max(entry.version, versions.get(entry.domain, 0))
    return [helper.make_opsetid(domain, version) for domain, version in versions.items()]


def finish(
    writer: GraphWriter, inputs: list[onnx.ValueInfoProto], output: onnx.ValueInfoProto
) -> onnx.ModelProto:
    """The model with its inputs, output and operator sets declared."""
    graph = helper.make_graph(writer.nodes, "part", inputs, [output], initializer=writer.initializers)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="router-extproc"
    )
