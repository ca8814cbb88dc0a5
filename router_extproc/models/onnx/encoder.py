"""The encoder: text to vector with an ONNX graph and its tokenizer. Fits `models.base.Encoder`.

Every text gets a pass of its own and always the same vector. Texts of one batch would change each other's
vectors, because int8 activations are scaled by what is in the pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from router_extproc.models.base import Encoding, TaskReading, Vector
from router_extproc.models.onnx.entities import read_names
from router_extproc.models.onnx.session import run_session
from router_extproc.models.onnx.text import is_latin, is_monotonous
from router_extproc.models.onnx.window import Tokens, WindowTokenizer

STAGE = "encoder"

#: A vector whose length is so near 1 was scaled by its graph.
ROUNDING = 1e-5

Pooling = Literal["mean", "cls"]

#: What can be fed: a graph's input by name, from the token ids. One text, no padding, one segment.
INPUTS: Mapping[str, Callable[[NDArray[np.int64]], NDArray[np.int64]]] = {
    "input_ids": lambda ids: ids,
    "attention_mask": np.ones_like,
    "token_type_ids": np.zeros_like,
}
#: Element types of such inputs, as onnxruntime writes them.
ELEMENTS: Mapping[str, type[np.integer[Any]]] = {  # Any: both widths
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


class Graph(Protocol):
    """What runs token ids."""

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        ...

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """ids: int64[1, tokens]; float32[1, dim] or [1, tokens, dim]. Raises ModelError."""
        ...


class TaskGraph(Graph, Protocol):
    """A graph with task layers."""

    @property
    def task_identity(self) -> str:
        """Names the task layers; heads were trained on one of them."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Kinds of names, in the order of the tags."""
        ...

    def run_tasks(self, ids: NDArray[np.int64]) -> TaskOutputs:
        """The same pass, and what the task layers say. Raises ModelError."""
        ...


@dataclass(frozen=True, slots=True)
class TaskOutputs:
    """What one pass gives with task layers."""

    #: As of Graph.run.
    result: NDArray[np.float32]
    #: float32[1, dim].
    task_vector: NDArray[np.float32]
    #: float32[1, tokens, 1 + 2 * names].
    tag_scores: NDArray[np.float32]


class WholeGraph:
    """One graph from token ids to vectors. Fits Graph."""

    def __init__(self, session: ort.InferenceSession) -> None:
        """The session's inputs are among INPUTS, its first output is [batch, dim] or [batch, tokens, dim]."""
        self._session = session
        self._inputs = {entry.name: ELEMENTS[entry.type] for entry in session.get_inputs()}
        output = session.get_outputs()[0]
        self._output = output.name
        self.dim = int(output.shape[-1])

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See Graph."""
        feeds = {name: INPUTS[name](ids).astype(element) for name, element in self._inputs.items()}
        (result,) = run_session(self._session, [self._output], feeds, stage=STAGE)
        return result


class OnnxEncoder:
    """One graph and one tokenizer; safe to call from several threads."""

    def __init__(
        self,
        graph: Graph,
        tokenizer: WindowTokenizer,
        *,
        identity: str,
        pooling: Pooling = "mean",
        task_graph: TaskGraph | None = None,
    ) -> None:
        """`task_graph` is the same encoder with task layers; it is run where they are asked for."""
        self._graph = graph
        self._tokenizer = tokenizer
        self._identity = identity
        self._pooling = pooling
        self._task_graph = task_graph

    @property
    def dim(self) -> int:
        """See models.base.Encoder."""
        return self._graph.dim

    @property
    def identity(self) -> str:
        """See models.base.Encoder."""
        return self._identity

    @property
    def task_identity(self) -> str | None:
        """See models.base.Encoder."""
        return self._task_graph.task_identity if self._task_graph else None

    def encode(self, text: str, *, tasks: bool = False) -> Encoding:
        """See models.base.Encoder."""
        tokens = self._tokenizer.read_both_ends(text)
        if not tokens.count:
            return Encoding(np.zeros(self.dim, np.float32), 0, tokens.truncated, tokens.unknown)
        ids = np.array([tokens.ids], np.int64)
        if tasks and self._task_graph is not None and is_latin(tokens.text) and not is_monotonous(tokens.ids):
            result, reading = self._run_tasks(self._task_graph, ids, tokens)
        else:
            result, reading = self._graph.run(ids), None
        vector = self._pool(result)
        return Encoding(vector, tokens.count, tokens.truncated, tokens.unknown, reading, tokens.ids)

    def encode_many(self, texts: Sequence[str]) -> list[Encoding]:
        """See models.base.Encoder; the same vectors as `encode` gives."""
        return [self.encode(text) for text in texts]

    def _run_tasks(
        self, graph: TaskGraph, ids: NDArray[np.int64], tokens: Tokens
    ) -> tuple[NDArray[np.float32], TaskReading]:
        outputs = graph.run_tasks(ids)
        names = read_names(outputs.tag_scores[0], tokens.offsets, tokens.text, graph.names)
        if tokens.gap is not None:
            names = tuple(map(tokens.gap.place, names))
        return outputs.result, TaskReading(outputs.task_vector[0], names)

    def _pool(self, result: NDArray[np.float32]) -> Vector:
        if result.ndim == 2:  # noqa: PLR2004 - [batch, dim]: the graph pooled
            return to_length_one(result[0])
        return pool(result[0], self._pooling)


def pool(hidden: NDArray[np.float32], pooling: Pooling) -> Vector:
    """One vector of length 1 out of the token vectors, float32[tokens, dim]; no padding among them."""
    return to_length_one(hidden[0] if pooling == "cls" else hidden.mean(axis=0))


def to_length_one(vector: NDArray[np.float32]) -> Vector:
    """The direction of a vector; zeros stay zeros, and what has the length keeps every bit."""
    length = float(np.linalg.norm(vector))
    if not length or abs(length - 1) < ROUNDING:
        return np.asarray(vector, np.float32)
    return np.asarray(vector / length, np.float32)
