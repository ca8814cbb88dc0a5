"""What the complexity head is made of: a line for open questions, a gain for questions with options.

Which models fail is known of two kinds of prompts: open questions (a weak model fails), and questions
with answer options (a weak model fails, and a strong one does not). A table over words tells the kinds
apart, and the score is a mixture of what both halves say. The graph says what `ComplexityHead.scores`
says, but for the table's rounding to eight bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from router_extproc.models.onnx.building.graph import IR_VERSION, OPSET, GraphWriter
from router_extproc.models.onnx.heads import IDS, SCORES
from router_extproc.models.onnx.manifest import HeadManifest
from router_extproc.models.onnx.tensors import TASK_VECTOR, VECTOR
from router_extproc.signals.complexity import COPES, FAILS
from router_extproc.training.heads.head_onnx import number, write_words
from router_extproc.training.heads.net import Matrix, softmax
from router_extproc.training.heads.phrases import PhraseNet
from router_extproc.training.heads.write import HeadFacts, write_graph
from router_extproc.training.task_layers.task_head import Read

LABELS = (COPES, FAILS)


@dataclass(frozen=True, slots=True)
class Lines:
    """Several lines through one kind of vector."""

    #: float32[dim, lines].
    kernel: Matrix
    #: float32[lines].
    bias: NDArray[np.float32]

    def chances(self, vectors: Matrix) -> Matrix:
        """float32[n, lines]."""
        return np.asarray(1 / (1 + np.exp(-(vectors @ self.kernel + self.bias))), np.float32)


@dataclass(frozen=True, slots=True)
class ComplexityHead:
    """The chance that a weak model fails."""

    #: One line over the task vector: a weak model fails on an open question.
    fails: Lines
    #: Over the task vector and over the encoder's: the weak and the strong model fail, with options.
    routed_tasks: Lines
    routed_vector: Lines
    #: float32[3]: what the gains by each vector count (weak minus strong), and the offset.
    gain: NDArray[np.float32]
    #: Logits of "open" and "with options".
    kinds: PhraseNet

    def scores(self, read: Read) -> Matrix:
        """float32[n, 2]: copes, fails."""
        with_options = softmax(self.kinds.logits(read.texts))[:, 1]
        failing = self.fails.chances(read.tasks)[:, 0]
        gaining = 1 / (1 + np.exp(-(self.gains(read) @ self.gain[:-1] + self.gain[-1])))
        chance = with_options * gaining + (1 - with_options) * failing
        return np.stack([1 - chance, chance], axis=1).astype(np.float32)

    def gains(self, read: Read) -> Matrix:
        """By how much the weak model fails more than the strong one, float32[n, 2]: by each vector."""
        return gains_of(self.routed_tasks.chances(read.tasks), self.routed_vector.chances(read.vectors))


def gains_of(tasks: Matrix, vector: Matrix) -> Matrix:
    """Weak minus strong, from both pairs of chances."""
    return np.stack([tasks[:, 0] - tasks[:, 1], vector[:, 0] - vector[:, 1]], axis=1)


# ── the graph ─────────────────────────────────────────────────────────────────────────────────


def write_complexity_head(folder: Path, head: ComplexityHead, *, encoder: str) -> HeadManifest:
    """Put `head.onnx` and its manifest into the folder, under its name; encoder: the layers' identity."""
    facts = HeadFacts(folder.name, LABELS, encoder, head.fails.kernel.shape[0], 1.0)
    return write_graph(folder, complexity_graph(head), facts)


def complexity_graph(head: ComplexityHead) -> onnx.ModelProto:
    """`task_vector`, `vector` and `ids` to float32 `scores` [1, 2]."""
    writer = GraphWriter()
    failing = write_lines(writer, "fails", TASK_VECTOR, head.fails)
    gains = [
        write_gain(writer, "by_tasks", TASK_VECTOR, head.routed_tasks),
        write_gain(writer, "by_vector", VECTOR, head.routed_vector),
    ]
    joined = writer.node("Concat", gains, "gains", axis=1)
    weights = writer.constant("gain.weights", head.gain[:-1, None])
    gained = writer.node("Gemm", [joined, weights, writer.constant("gain.bias", head.gain[-1:])], "gain")
    gaining = writer.node("Sigmoid", [gained], "gaining")
    kinds = writer.node("Softmax", [write_words(writer, head.kinds)], "kinds", axis=-1)
    both = writer.node("Concat", [failing, gaining], "both", axis=1)
    mixed = writer.node("Mul", [kinds, both], "mixed")
    axis = writer.constant("kinds.axis", np.array([1], np.int64))
    fails = writer.node("ReduceSum", [mixed, axis], "score", keepdims=1)
    copes = writer.node("Sub", [number(writer, "one", 1.0), fails], "rest")
    writer.node("Concat", [copes, fails], SCORES, axis=1)
    return finish(writer, head.fails.kernel.shape[0])


def write_lines(writer: GraphWriter, name: str, vector: str, lines: Lines) -> str:
    """The chances of the lines, float32[1, lines]."""
    kernel = writer.constant(f"{name}.kernel", lines.kernel)
    bias = writer.constant(f"{name}.bias", lines.bias)
    product = writer.node("Gemm", [vector, kernel, bias], f"{name}.logits")
    return writer.node("Sigmoid", [product], f"{name}.chances")


def write_gain(writer: GraphWriter, name: str, vector: str, lines: Lines) -> str:
    """Weak minus strong, float32[1, 1]."""
    chances = write_lines(writer, name, vector, lines)
    signs = writer.constant(f"{name}.signs", np.array([[1.0], [-1.0]], np.float32))
    return writer.node("MatMul", [chances, signs], f"{name}.gain")


def finish(writer: GraphWriter, dim: int) -> onnx.ModelProto:
    """The model of what was written."""
    vectors = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, dim]) for name in (TASK_VECTOR, VECTOR)
    ]
    graph = helper.make_graph(
        writer.nodes,
        "complexity_head",
        [*vectors, helper.make_tensor_value_info(IDS, TensorProto.INT64, ["tokens"])],
        [helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, [1, len(LABELS)])],
        initializer=writer.initializers,
    )
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="router-extproc",
    )
