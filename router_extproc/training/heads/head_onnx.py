"""Writes the head of a user's labels as ONNX: vector and words to scores, out of scope included.

The graph says what `CustomHeadNet.scores` says, but for the table's rounding to eight bits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from router_extproc.evaluation.rows import OUT_OF_SCOPE
from router_extproc.models.onnx.building.graph import IR_VERSION, OPSET, GraphWriter
from router_extproc.models.onnx.heads import IDS, SCORES
from router_extproc.models.onnx.manifest import HeadManifest
from router_extproc.models.onnx.tensors import VECTOR
from router_extproc.training.heads.head import CustomHeadNet
from router_extproc.training.heads.net import Net
from router_extproc.training.heads.phrases import (
    BUCKETS,
    EPSILON,
    LEFT_FACTOR,
    LENGTH,
    RIGHT_FACTOR,
    SINGLE_FACTOR,
    PhraseNet,
)
from router_extproc.training.heads.scope import Scope
from router_extproc.training.heads.write import HeadFacts, write_graph

#: Largest magnitude of an element of the table in eight bits.
INT8_MAX = 127
#: As the end of a slice: whatever the length.
TO_THE_END = np.iinfo(np.int64).max


def write_head(folder: Path, net: CustomHeadNet, *, encoder: str) -> HeadManifest:
    """Put `head.onnx` and its manifest into the folder, under its name; encoder: its identity."""
    dim = net.meaning.hidden_kernel.shape[0]
    facts = HeadFacts(folder.name, net.named, encoder, dim, net.temperature)
    return write_graph(folder, head_onnx(net), facts)


def head_onnx(net: CustomHeadNet) -> onnx.ModelProto:
    """float32 `vector` [1, dim] and int64 `ids` [tokens] to float32 `scores` [1, labels]."""
    writer = GraphWriter()
    meaning = write_meaning(writer, net.meaning)
    words = write_words(writer, net.words)
    weighed = writer.node("Mul", [words, number(writer, "words.weight", net.words_weight)], "words.weighed")
    logits = writer.node("Add", [meaning, weighed], "logits")
    chance = write_scope(writer, net.scope, logits)
    divided = writer.node("Div", [logits, number(writer, "temperature", net.temperature)], "logits.tempered")
    shares = writer.node("Softmax", [divided], "shares", axis=-1)
    one = number(writer, "one", 1.0)
    rest = writer.node("Sub", [one, chance], "in_scope")
    named = writer.node("Mul", [shares, rest], "shares.in_scope")
    last = [named, chance] if OUT_OF_SCOPE in net.named else [named]
    writer.node("Concat", last, SCORES, axis=1)
    return finish(writer, dim=net.meaning.hidden_kernel.shape[0], labels=len(net.named))


def write_meaning(writer: GraphWriter, meaning: Net) -> str:
    """The net over the vector."""
    kernels = [
        writer.constant("hidden.kernel", meaning.hidden_kernel),
        writer.constant("hidden.bias", meaning.hidden_bias),
        writer.constant("output.kernel", meaning.output_kernel),
        writer.constant("output.bias", meaning.output_bias),
    ]
    hidden = writer.node("Gemm", [VECTOR, *kernels[:2]], "hidden")
    return writer.node("Gemm", [writer.node("Relu", [hidden], "active"), *kernels[2:]], "meaning")


def write_words(writer: GraphWriter, net: PhraseNet) -> str:
    """The table over tokens and pairs, in eight bits with one scale a label."""
    scales = np.maximum(np.abs(net.table).max(axis=0), np.float32(1e-9)) / INT8_MAX
    table = writer.constant("table", np.round(net.table / scales).astype(np.int8))
    features = write_features(writer)
    weights = writer.node("Gather", [writer.constant("rarity", net.rarity), features], "weights")
    squares = writer.node("ReduceSumSquare", [weights], "squares", keepdims=1)
    raised = writer.node("Add", [squares, number(writer, "epsilon", float(EPSILON))], "squares.raised")
    norm = writer.node("Sqrt", [raised], "norm")
    unit = writer.node("Div", [weights, norm], "weights.unit")
    strength = writer.node("Mul", [unit, number(writer, "length", float(LENGTH))], "strengths")
    row = writer.node("Unsqueeze", [strength, integers(writer, "first_axis", 0)], "strengths.row")
    taken = writer.node("Gather", [table, features], "taken")
    floats = writer.node("Cast", [taken], "taken.float", to=TensorProto.FLOAT)
    sums = writer.node("MatMul", [row, floats], "sums")
    scaled = writer.node("Mul", [sums, writer.constant("table.scales", scales)], "sums.scaled")
    return writer.node("Add", [scaled, writer.constant("table.bias", net.bias)], "words")


def write_features(writer: GraphWriter) -> str:
    """The buckets, as `phrases.features_of` has them."""
    buckets = integers(writer, "buckets", BUCKETS)
    start, end = integers(writer, "start", 0), integers(writer, "end", TO_THE_END)
    second, before_last = integers(writer, "second", 1), integers(writer, "before_last", -1)
    left = writer.node("Slice", [IDS, start, before_last], "left")
    right = writer.node("Slice", [IDS, second, end], "right")
    sums = [
        writer.node("Mul", [ids, integers(writer, f"{name}.factor", factor)], f"{name}.spread")
        for name, ids, factor in (
            ("single", IDS, SINGLE_FACTOR),
            ("left", left, LEFT_FACTOR),
            ("right", right, RIGHT_FACTOR),
        )
    ]
    pairs = writer.node("Add", sums[1:], "pairs")
    every = writer.node("Concat", [sums[0], pairs], "spread", axis=0)
    return writer.node("Mod", [every, buckets], "features")


def write_scope(writer: GraphWriter, scope: Scope, logits: str) -> str:
    """The chance of being out of scope, float32[1, 1]."""
    cosines = writer.node("MatMul", [VECTOR, writer.constant("centres", scope.centres.T)], "cosines")
    axis = integers(writer, "last_axis", -1)
    facts = [writer.node("ReduceMax", [name, axis], f"{name}.highest") for name in (logits, cosines)]
    joined = writer.node("Concat", facts, "facts", axis=1)
    weights = writer.constant("scope.weights", scope.weights[:-1, None])
    bias = writer.constant("scope.bias", scope.weights[-1:])
    return writer.node("Sigmoid", [writer.node("Gemm", [joined, weights, bias], "doubt")], "out_of_scope")


def number(writer: GraphWriter, name: str, value: float) -> str:
    """A constant of one element."""
    return writer.constant(name, np.array([value], np.float32))


def integers(writer: GraphWriter, name: str, value: int) -> str:
    """A constant of one whole number."""
    return writer.constant(name, np.array([value], np.int64))


def finish(writer: GraphWriter, *, dim: int, labels: int) -> onnx.ModelProto:
    """The model of what was written."""
    graph = helper.make_graph(
        writer.nodes,
        "own_head",
        [
            helper.make_tensor_value_info(VECTOR, TensorProto.FLOAT, [1, dim]),
            helper.make_tensor_value_info(IDS, TensorProto.INT64, ["tokens"]),
        ],
        [helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, [1, labels])],
        initializer=writer.initializers,
    )
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="router-extproc"
    )
