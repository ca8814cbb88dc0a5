"""The encoder's vectors and tokens of many passages, computed once and kept on disk."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from router_extproc.models.onnx.open import open_encoder
from router_extproc.training.heads.net import Matrix
from router_extproc.training.heads.phrases import Ids

KEPT: Final = "passages.pickle"


@dataclass(frozen=True, slots=True)
class Encodings:
    """What the encoder says of passages, by passage."""

    found: dict[str, tuple[NDArray[np.float32], NDArray[np.int32]]]

    def readable(self, passages: Iterable[str]) -> list[str]:
        """Those that have a token."""
        return [passage for passage in passages if len(self.found[passage][1])]

    def vectors(self, passages: Sequence[str]) -> Matrix:
        """float32[n, dim]."""
        return np.stack([self.found[passage][0] for passage in passages])

    def tokens(self, passages: Sequence[str]) -> list[Ids]:
        """int64[tokens] each, special ones included."""
        return [self.found[passage][1].astype(np.int64) for passage in passages]


def encode_passages(passages: Iterable[str], work: Path) -> Encodings:
    """Each passage by a pass of its own, or as an earlier run left it in `work`."""
    work.mkdir(parents=True, exist_ok=True)
    kept = work / KEPT
    # Written below, by this program alone.
    found = pickle.loads(kept.read_bytes()) if kept.exists() else {}  # noqa: S301
    missing = [passage for passage in dict.fromkeys(passages) if passage not in found]
    encoder = open_encoder()
    for passage in track(missing, "encode", transient=True):
        encoding = encoder.encode(passage)
        found[passage] = (encoding.vector, np.array(encoding.ids, np.int32))
    if missing:
        scratch = kept.with_suffix(".part")
        scratch.write_bytes(pickle.dumps(found))
        scratch.replace(kept)
    return Encodings(found)
