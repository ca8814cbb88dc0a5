"""What the frozen lower layers say of every text, computed once and kept on disk.

States come from the int8 graph that serves requests, so that the task layers learn to read what they will
be given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper
from rich.progress import track
from tokenizers import Tokenizer

from router_extproc.models.onnx.home import (
    IDENTITY,
    MODEL_NAME,
    TOKENIZER_NAME,
    built_name,
    home,
    models_folder,
)
from router_extproc.models.onnx.session import open_session, run_session
from router_extproc.models.onnx.tensors import INPUT_IDS, VECTOR
from router_extproc.models.onnx.text import cut_text

#: Lower layers that every text goes through once; their output feeds both upper halves.
SHARED_LAYERS = 2
#: Output of the last of them in the encoder's graph.
HIDDEN = f"layer{SHARED_LAYERS - 1}.output"
#: Tokens of a text that are learned from.
TOKENS_MAX = 128
DIM = 384
WORKERS = 2


@dataclass(frozen=True, slots=True)
class States:
    """The states of many texts, by text."""

    #: float16[all tokens, DIM], one text behind the other.
    hidden: NDArray[np.float16]
    #: int64[texts + 1]: where each text begins.
    starts: NDArray[np.int64]
    #: float32[texts, DIM]: the encoder's own vectors.
    vectors: NDArray[np.float32]
    #: int32[all tokens].
    ids: NDArray[np.int32]
    #: int32[all tokens, 2]: the characters of each token.
    offsets: NDArray[np.int32]
    place: dict[str, int]

    def of(self, text: str) -> slice:
        """The tokens of a text."""
        index = self.place[text]
        return slice(int(self.starts[index]), int(self.starts[index + 1]))

    def tokens(self, text: str) -> NDArray[np.int64]:
        """The token ids of a text, special ones included."""
        return self.ids[self.of(text)].astype(np.int64)

    def length(self, text: str) -> int:
        """Tokens of a text."""
        place = self.of(text)
        return int(place.stop - place.start)


#: Computes the arrays of `States` from texts.
Compute: TypeAlias = Callable[[Sequence[str]], Mapping[str, NDArray[Any]]]  # Any: each has its own type


def read_states(texts: Sequence[str], folder: Path, *, compute: Compute | None = None) -> States:
    """The states of the texts, from the folder if they were computed before; else by the encoder."""
    digest = hashlib.sha256("\x00".join([HIDDEN, str(TOKENS_MAX), *texts]).encode("utf-8", "replace"))
    target = folder / f"states-{digest.hexdigest()[:12]}.npz"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        save_arrays((compute or compute_states)(texts), target)
    kept = np.load(target)
    arrays = {name: kept[name] for name in ("hidden", "starts", "vectors", "ids", "offsets")}
    return States(**arrays, place={text: index for index, text in enumerate(texts)})


def save_arrays(arrays: Mapping[str, NDArray[Any]], target: Path) -> None:  # Any: each has its own type
    """Write them beside their place, then move them there: a file of that name is whole."""
    scratch = target.with_suffix(".part")
    with scratch.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    scratch.replace(target)


def compute_states(texts: Sequence[str]) -> dict[str, NDArray[Any]]:  # Any: each has its own type
    """Run every text through the encoder."""
    folder = models_folder(home()) / built_name(IDENTITY)
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_NAME))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS_MAX)
    tokenizer.encode_special_tokens = True
    session = open_probe(folder / MODEL_NAME)

    def read(text: str) -> tuple[NDArray[np.float16], NDArray[np.float32], list[int], list[tuple[int, int]]]:
        start, _ = cut_text(text, max_tokens=TOKENS_MAX)
        encoded = tokenizer.encode(start)
        ids = np.array([encoded.ids], np.int32)
        hidden, vector = run_session(session, [HIDDEN, VECTOR], {INPUT_IDS: ids}, stage="training")
        return hidden[0].astype(np.float16), vector[0], encoded.ids, encoded.offsets

    with ThreadPoolExecutor(WORKERS) as pool:
        read_texts = list(track(pool.map(read, texts), "read", total=len(texts)))
    lengths = [len(ids) for _, _, ids, _ in read_texts]
    return {
        "hidden": np.concatenate([hidden for hidden, _, _, _ in read_texts]),
        "starts": np.cumsum([0, *lengths]),
        "vectors": np.stack([vector for _, vector, _, _ in read_texts]),
        "ids": np.concatenate([np.array(ids, np.int32) for _, _, ids, _ in read_texts]),
        "offsets": np.concatenate([np.array(offsets, np.int32) for _, _, _, offsets in read_texts]),
    }


def open_probe(path: Path) -> ort.InferenceSession:
    """The encoder with the lower layers' output as one more output."""
    graph = onnx.load(path)
    graph.graph.output.append(helper.make_tensor_value_info(HIDDEN, TensorProto.FLOAT, None))
    probe = path.with_name(".probe.onnx")
    onnx.save(graph, probe)
    try:
        return open_session(probe, where="")
    finally:
        probe.unlink()
