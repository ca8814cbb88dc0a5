"""Ports to the neural models: encoder and classifier.

It is not a runtime: `models.onnx` implements these. All methods block and are called from the
inference executor, never from the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: float32[dim], length 1 (or all zeros for a text without tokens).
Vector: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoding:
    """One encoder pass over one text."""

    vector: Vector
    #: Tokens that the encoder read.
    tokens: int
    #: The text was longer than the encoder's window; the vector is of its beginning only.
    truncated: bool


class Encoder(Protocol):
    """Text to vector."""

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        ...

    @property
    def identity(self) -> str:
        """Names model and build; vectors of different identities must not be compared."""
        ...

    def encode(self, text: str) -> Encoding:
        """One text, one pass. Raises ModelError when the runtime fails."""
        ...

    def encode_many(self, texts: Sequence[str]) -> list[Encoding]:
        """Several texts, batched; for set-up and evaluation."""
        ...


class Classifier(Protocol):
    """Vector to calibrated label scores."""

    @property
    def labels(self) -> Sequence[str]:
        """Every label it can give."""
        ...

    def scores(self, vector: Vector) -> Mapping[str, float]:
        """A score in [0, 1] for every label; they sum to one."""
        ...
