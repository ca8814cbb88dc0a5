"""What a head of the task layers is made of, and how it is written as ONNX.

The graph says what `TaskHead.scores` says, but for the word table's rounding to eight bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from router_extproc.models.onnx.building.graph import IR_VERSION, OPSET, GraphWriter
from router_extproc.models.onnx.heads import IDS, SCORES
from router_extproc.models.onnx.manifest import HeadManifest
from router_extproc.models.onnx.tensors import TASK_VECTOR, VECTOR
from router_extproc.training.heads.head_onnx import number, write_meaning, write_words
from router_extproc.training.heads.net import Matrix, Net, softmax
from router_extproc.training.heads.phrases import Ids, PhraseNet
from router_extproc.training.heads.write import HeadFacts, write_graph


@dataclass(frozen=True, slots=True)
class Read:
    """What heads read of texts, one row each."""

    #: float32[n, dim]: of the task layers.
    tasks: Matrix
    #: float32[n, dim]: the encoder's own.
    vectors: Matrix
    #: Tokens of each text.
    texts: Sequence[Ids]


@dataclass(frozen=True, slots=True)
class TaskHead:
    """A layer over the task vector; a net over the encoder's vector and a table over words may add to it."""

    labels: Sequence[str]
    #: float32[dim, labels].
    kernel: Matrix
    bias: Matrix
    #: What the sum of the logits is divided by.
    temperature: float = 1.0
    #: With what its logits count.
    meaning: tuple[Net, float] | None = None
    words: tuple[PhraseNet, float] | None = None

    def logits(self, read: Read) -> Matrix:
        """Before the temperature, float32[n, labels]."""
        total = read.tasks @ self.kernel + self.bias
        if self.meaning is not None:
            net, weight = self.meaning
            total = total + np.float32(weight) * net.logits(read.vectors)
        if self.words is not None:
            table, weight = self.words
            total = total + np.float32(weight) * table.logits(read.texts)
        return np.asarray(total, np.float32)

    def scores(self, read: Read) -> Matrix:
        """Calibrated chances, float32[n, labels]."""
        return softmax(self.logits(read) / np.float32(self.temperature))


def write_task_head(folder: Path, head: TaskHead, *, encoder: str) -> HeadManifest:
    """Put `head.onnx` and its manifest into the folder, under its name; encoder: the layers' identity."""
    facts = HeadFacts(folder.name, head.labels, encoder, head.kernel.shape[0], head.temperature)
    return write_graph(folder, task_head_graph(head), facts)


def task_head_graph(head: TaskHead) -> onnx.ModelProto:
    """`task_vector` and, where they are read, `vector` and `ids`, to float32 `scores` [1, labels]."""
    writer = GraphWriter()
    dim, labels = head.kernel.shape
    inputs = [helper.make_tensor_value_info(TASK_VECTOR, TensorProto.FLOAT, [1, dim])]
    kernel = writer.constant("task.kernel", head.kernel)
    total = writer.node("Gemm", [TASK_VECTOR, kernel, writer.constant("task.bias", head.bias)], "task")
    if head.meaning is not None:
        net, weight = head.meaning
        inputs.append(helper.make_tensor_value_info(VECTOR, TensorProto.FLOAT, [1, dim]))
        total = add_weighed(writer, total, write_meaning(writer, net), weight)
    if head.words is not None:
        table, weight = head.words
        inputs.append(helper.make_tensor_value_info(IDS, TensorProto.INT64, ["tokens"]))
        total = add_weighed(writer, total, write_words(writer, table), weight)
    divided = writer.node("Div", [total, number(writer, "temperature", head.temperature)], "tempered")
    writer.node("Softmax", [divided], SCORES, axis=-1)
    graph = helper.make_graph(
        writer.nodes,
        "task_head",
        inputs,
        [helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, [1, labels])],
        initializer=writer.initializers,
    )
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="router-extproc",
    )


def add_weighed(writer: GraphWriter, total: str, part: str, weight: float) -> str:
    """The logits so far and those of one more part."""
    weighed = writer.node("Mul", [part, number(writer, f"{part}.weight", weight)], f"{part}.weighed")
    return writer.node("Add", [total, weighed], f"{total}.{part}")
