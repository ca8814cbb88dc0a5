"""The encoder: text to vector with an ONNX graph and its tokenizer.

It is not a batcher: int8 activations are scaled by what is in the pass, so texts of one batch would
change each other's vectors. Every text gets a pass of its own and always the same vector. Fits
`models.base.Encoder`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from router_extproc.models.base import Encoding, Vector
from router_extproc.models.onnx.session import run_session
from router_extproc.models.onnx.text import cut_text

STAGE = "encoder"

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


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as the encoder reads it."""

    ids: Sequence[int]
    #: Without the special tokens.
    count: int
    unknown: int
    truncated: bool


class WindowTokenizer:
    """A tokenizer that never gives more than the window, says so, and never fails."""

    def __init__(self, tokenizer: Tokenizer, *, max_tokens: int, prefix: str = "") -> None:
        """Takes the tokenizer over: its padding, truncation and reading of special tokens change."""
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        # "[SEP]" written by a client is five characters, not the end of the text.
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._prefix = prefix
        self._special_tokens = tokenizer.num_special_tokens_to_add(is_pair=False)
        unknown = getattr(tokenizer.model, "unk_token", None)
        self._unknown_id = tokenizer.token_to_id(unknown) if unknown else None

    def read(self, text: str) -> Tokens:
        """The tokens of the beginning that fits."""
        start, cut = cut_text(text, max_tokens=self._max_tokens)
        encoded = self._tokenizer.encode(self._prefix + start)
        ids = encoded.ids
        return Tokens(
            ids=ids,
            count=len(ids) - self._special_tokens,
            unknown=0 if self._unknown_id is None else ids.count(self._unknown_id),
            truncated=cut or bool(encoded.overflowing),
        )


class OnnxEncoder:
    """One graph and one tokenizer; safe to call from several threads."""

    def __init__(
        self, session: ort.InferenceSession, tokenizer: WindowTokenizer, *, identity: str, pooling: Pooling
    ) -> None:
        """The session's inputs are among INPUTS, its first output is [batch, dim] or [batch, tokens, dim]."""
        self._session = session
        self._tokenizer = tokenizer
        self._identity = identity
        self._pooling = pooling
        self._inputs = {entry.name: ELEMENTS[entry.type] for entry in session.get_inputs()}
        output = session.get_outputs()[0]
        self._output = output.name
        self._dim = int(output.shape[-1])

    @property
    def dim(self) -> int:
        """See models.base.Encoder."""
        return self._dim

    @property
    def identity(self) -> str:
        """See models.base.Encoder."""
        return self._identity

    def encode(self, text: str) -> Encoding:
        """See models.base.Encoder."""
        tokens = self._tokenizer.read(text)
        vector = self._run(tokens.ids) if tokens.count else np.zeros(self._dim, np.float32)
        return Encoding(vector, tokens.count, tokens.truncated, tokens.unknown)

    def encode_many(self, texts: Sequence[str]) -> list[Encoding]:
        """See models.base.Encoder; the same vectors as `encode` gives."""
        return [self.encode(text) for text in texts]

    def _run(self, ids: Sequence[int]) -> Vector:
        row = np.array([ids], np.int64)
        feeds = {name: INPUTS[name](row).astype(element) for name, element in self._inputs.items()}
        (result,) = run_session(self._session, [self._output], feeds, stage=STAGE)
        if result.ndim == 2:  # noqa: PLR2004 - [batch, dim]: the graph pooled and scaled
            return np.asarray(result[0], np.float32)
        return pool(result[0], self._pooling)


def pool(hidden: NDArray[np.float32], pooling: Pooling) -> Vector:
    """One vector of length 1 out of the token vectors, float32[tokens, dim]; no padding among them."""
    vector = hidden[0] if pooling == "cls" else hidden.mean(axis=0)
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length else vector, np.float32)
