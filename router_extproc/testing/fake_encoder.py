"""An encoder without a model: a hashed bag of words.

Texts are alike when they share words. The same text has the same vector in every process and on every
machine.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

from router_extproc.models.base import Encoding

WORD = re.compile(r"\w+")
#: Token ids are below it.
VOCABULARY = 30_000


class FakeEncoder:
    """Fits models.base.Encoder."""

    def __init__(self, *, dim: int = 64, max_tokens: int = 256) -> None:
        self._dim = dim
        self._max_tokens = max_tokens

    @property
    def dim(self) -> int:
        """See models.base.Encoder."""
        return self._dim

    @property
    def identity(self) -> str:
        """See models.base.Encoder."""
        return f"fake-{self._dim}"

    @property
    def task_identity(self) -> None:
        """See models.base.Encoder; it has no task layers."""
        return

    def encode(self, text: str, *, tasks: bool = False) -> Encoding:  # noqa: ARG002 - it has none
        """See models.base.Encoder; a word is a token."""
        words = WORD.findall(text.casefold())
        vector = np.zeros(self._dim, np.float32)
        digests = [zlib.crc32(word.encode("utf-8", "replace")) for word in words[: self._max_tokens]]
        for digest in digests:
            vector[digest % self._dim] += 1.0 if digest & 0x8000_0000 else -1.0
        length = float(np.linalg.norm(vector))
        return Encoding(
            vector=vector / np.float32(length) if length else vector,
            tokens=min(len(words), self._max_tokens),
            truncated=len(words) > self._max_tokens,
            ids=tuple(digest % VOCABULARY for digest in digests),
        )

    def encode_many(self, texts: Sequence[str]) -> list[Encoding]:
        """See models.base.Encoder."""
        return [self.encode(text) for text in texts]


class RememberingEncoder(FakeEncoder):
    """Remembers what it encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def encode(self, text: str, *, tasks: bool = False) -> Encoding:
        """See models.base.Encoder."""
        self.texts.append(text)
        return super().encode(text, tasks=tasks)
