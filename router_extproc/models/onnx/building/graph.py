"""Writes the float32 ONNX graph of a MiniLM (BERT) sentence encoder from its weights.

Only this architecture, in onnxruntime's fused operators where they are fast. The graph takes one text, or
several of equal length, without padding, so it needs no mask; then mean pooling and scaling to length 1.

Source: onnxruntime contrib operators EmbedLayerNormalization, Attention, BiasGelu.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from router_extproc.models.onnx.tensors import INPUT_IDS, VECTOR

MICROSOFT = "com.microsoft"
#: The newest operator set that every onnxruntime since 1.18 runs.
OPSET = 18
IR_VERSION = 9

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Architecture:
    """The sizes of a BERT encoder, as its config.json has them."""

    layers: int
    heads: int
    dim: int
    max_tokens: int
    #: Of every layer normalisation.
    epsilon: float


@dataclass(frozen=True, slots=True)
class GraphWriter:
    """Collects nodes and initializers; every method returns the name of what it added."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add an initializer."""
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    # Any: make_node takes attributes and its own options by the same keywords.
    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node of onnx's own operator set."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    # Any: as above.
    def fused(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node of onnxruntime's operator set."""
        # EmbedLayerNormalization must have two outputs; the second is a mask nobody reads.
        outputs = [output, f"{output}.mask"] if kind == "EmbedLayerNormalization" else [output]
        self.nodes.append(
            helper.make_node(kind, inputs, outputs, name=output, domain=MICROSOFT, **attributes)
        )
        return output


def write_graph(weights: Weights, shape: Architecture) -> onnx.ModelProto:
    """int32 `input_ids` [batch, tokens] to float32 `vector` [batch, dim], each row of length 1."""
    writer = GraphWriter()
    hidden = write_embeddings(writer, weights, shape)
    for index in range(shape.layers):
        hidden = write_layer(writer, weights, shape, index, hidden)
    write_pooling(writer, hidden)
    return finish_graph(writer, shape)


def write_embeddings(writer: GraphWriter, weights: Weights, shape: Architecture) -> str:
    """Words plus positions, normalised; every token has type 0, so its vector joins the positions."""
    positions = weights["embeddings.position_embeddings.weight"]
    kind = weights["embeddings.token_type_embeddings.weight"][0]
    inputs = [
        INPUT_IDS,
        "",
        writer.constant("words", weights["embeddings.word_embeddings.weight"]),
        writer.constant("positions", positions + kind),
        "",
        writer.constant("embeddings.scale", weights["embeddings.LayerNorm.weight"]),
        writer.constant("embeddings.shift", weights["embeddings.LayerNorm.bias"]),
    ]
    return writer.fused("EmbedLayerNormalization", inputs, "embeddings", epsilon=shape.epsilon)


def write_layer(writer: GraphWriter, weights: Weights, shape: Architecture, index: int, hidden: str) -> str:
    """One transformer layer: attention, then the two-step feed-forward net, each with its residual."""
    prefix = f"encoder.layer.{index}."
    own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    layer = LayerWriter(writer, own, shape, f"layer{index}")
    attended = layer.write_residual("attention.output", layer.write_attention(hidden), hidden)
    return layer.write_residual("output", layer.write_widening(attended), attended)


@dataclass(frozen=True, slots=True)
class LayerWriter:
    """Writes the parts of one transformer layer; every method returns the name of its output."""

    writer: GraphWriter
    weights: Weights
    shape: Architecture
    name: str

    def write_attention(self, hidden: str) -> str:
        """Multi-head self-attention with query, key and value in one product."""
        parts = ("query", "key", "value")
        kernel = np.concatenate([self.weights[f"attention.self.{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([self.weights[f"attention.self.{part}.bias"] for part in parts])
        output = f"{self.name}.attention"
        inputs = [
            hidden,
            self.writer.constant(f"{output}.kernel", kernel),
            self.writer.constant(f"{output}.bias", bias),
        ]
        return self.writer.fused("Attention", inputs, output, num_heads=self.shape.heads)

    def write_widening(self, attended: str) -> str:
        """Project to the wide side of the feed-forward net and activate."""
        output = f"{self.name}.wide"
        product = self.write_product("intermediate.dense", attended, output)
        bias = self.writer.constant(f"{output}.bias", self.weights["intermediate.dense.bias"])
        return self.writer.fused("BiasGelu", [product, bias], output)

    def write_residual(self, part: str, narrow: str, residual: str) -> str:
        """Project, add bias and residual, normalise."""
        output = f"{self.name}.{part}"
        addends = ResidualAddends(
            self.write_product(f"{part}.dense", narrow, output),
            residual,
            self.writer.constant(f"{output}.bias", self.weights[f"{part}.dense.bias"]),
        )
        scale, shift = (
            self.writer.constant(f"{output}.{name}", self.weights[f"{part}.LayerNorm.{of}"])
            for name, of in (("scale", "weight"), ("shift", "bias"))
        )
        self.writer.nodes.extend(
            residual_nodes(addends, scale, shift, output=output, epsilon=self.shape.epsilon)
        )
        return output

    def write_product(self, part: str, narrow: str, output: str) -> str:
        """The matrix product of a dense part, without its bias."""
        kernel = self.writer.constant(f"{output}.kernel", self.weights[f"{part}.weight"].T)
        return self.writer.node("MatMul", [narrow, kernel], f"{output}.product")


@dataclass(frozen=True, slots=True)
class ResidualAddends:
    """What is added up before a normalisation, by the names of the tensors."""

    product: str
    residual: str
    #: A vector; added first, so that onnxruntime adds it within the product.
    bias: str


def residual_nodes(
    addends: ResidualAddends, scale: str, shift: str, *, output: str, epsilon: float
) -> list[onnx.NodeProto]:
    """The sum, normalised, in onnx's own operators.

    onnxruntime's SkipLayerNormalization does the same in one node, but its loop over the channels is not
    vectorised on CPUs (onnxruntime 1.32): six times slower than these three.
    """
    biased, total = f"{output}.biased", f"{output}.total"
    return [
        helper.make_node("Add", [addends.product, addends.bias], [biased], name=biased),
        helper.make_node("Add", [biased, addends.residual], [total], name=total),
        helper.make_node(
            "LayerNormalization", [total, scale, shift], [output], name=output, axis=-1, epsilon=epsilon
        ),
    ]


def separate_normalisations(model: onnx.ModelProto) -> None:
    """Replace SkipLayerNormalization, in place; for graphs that were written before `residual_nodes`."""
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "SkipLayerNormalization":
            product, residual, scale, shift, bias = node.input
            addends = ResidualAddends(product, residual, bias)
            (epsilon,) = (attribute.f for attribute in node.attribute if attribute.name == "epsilon")
            nodes.extend(residual_nodes(addends, scale, shift, output=node.output[0], epsilon=epsilon))
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def write_pooling(writer: GraphWriter, hidden: str) -> str:
    """Mean over the tokens, scaled to length 1."""
    axis = writer.constant("token_axis", np.array([1], np.int64))
    mean = writer.node("ReduceMean", [hidden, axis], "mean", keepdims=0)
    return writer.node("LpNormalization", [mean], VECTOR, axis=-1, p=2)


def finish_graph(writer: GraphWriter, shape: Architecture) -> onnx.ModelProto:
    """The model with its input, output and operator sets declared."""
    graph = helper.make_graph(
        writer.nodes,
        "sentence_encoder",
        [helper.make_tensor_value_info(INPUT_IDS, TensorProto.INT32, ["batch", "tokens"])],
        [helper.make_tensor_value_info(VECTOR, TensorProto.FLOAT, ["batch", shape.dim])],
        initializer=writer.initializers,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="router-extproc"
    )
