"""Builds the int8 encoder from the weights of MiniLM, without torch.

A folder with a manifest is complete and was compared with the float32 graph; a build that fails leaves
nothing behind.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.building.graph import write_graph
from router_extproc.models.onnx.building.replace_folder import replace_folder
from router_extproc.models.onnx.building.sentences import CALIBRATION, HELD_OUT
from router_extproc.models.onnx.building.smooth_quant import measure_peaks, smooth_graph
from router_extproc.models.onnx.building.source import Source, read_architecture, read_weights
from router_extproc.models.onnx.building.weights import OpenSource
from router_extproc.models.onnx.home import IDENTITY, MODEL_NAME, TOKENIZER_NAME, built_name
from router_extproc.models.onnx.manifest import (
    EncoderManifest,
    FileRecord,
    record_file,
    record_files,
    write_manifest,
)
from router_extproc.models.onnx.session import open_session, run_session
from router_extproc.models.onnx.tensors import INPUT_IDS, VECTOR

#: Mean cosine to the float32 graph below which a build is refused.
COSINE_MIN = 0.99

#: Called with the name of each step as it begins.
OnStep = Callable[[str], None]

STEPS = ("write the float32 graph", "quantise to int8", "compare with float32", "put in place")


def build_encoder(
    models: Path, open_source: OpenSource, *, on_step: OnStep = lambda _: None
) -> EncoderManifest:
    """Make `models/<built_name>`, in place of what is there.

    Raises:
        ConfigError: the weights cannot be had or are damaged, or the result is not good enough.
    """
    folder = models / built_name(IDENTITY)
    models.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that putting it in place is one rename.
    with tempfile.TemporaryDirectory(dir=models, prefix=".build-") as scratch:
        made = Path(scratch) / "encoder"
        made.mkdir()
        manifest = make_encoder(open_source(), made, Path(scratch) / "float.onnx", on_step)
        on_step(STEPS[3])
        replace_folder(made, folder, spare=Path(scratch) / "previous")
    return manifest


def make_encoder(source: Source, folder: Path, float_model: Path, on_step: OnStep) -> EncoderManifest:
    """Fill the folder: graph, tokenizer, manifest."""
    shape = read_architecture(source)
    tokenizer = plain_tokenizer(source.tokenizer)
    tokenizer.save(str(folder / TOKENIZER_NAME))
    on_step(STEPS[0])
    graph = write_graph(read_weights(source), shape)
    smooth_graph(graph, measure_peaks(graph, tokenize(tokenizer, CALIBRATION), float_model))
    onnx.save(graph, float_model)
    on_step(STEPS[1])
    quantise(float_model, folder / MODEL_NAME)
    on_step(STEPS[2])
    cosines = compare(float_model, folder / MODEL_NAME, tokenize(tokenizer, HELD_OUT))
    manifest = EncoderManifest(
        identity=IDENTITY,
        dim=shape.dim,
        max_tokens=shape.max_tokens,
        source=source.name,
        source_sha256=record_file(source.weights).sha256,
        cosine_mean=round(float(cosines.mean()), 4),
        cosine_min=round(float(cosines.min()), 4),
        files=describe(folder),
    )
    write_manifest(folder, manifest)
    return manifest


def describe(folder: Path) -> dict[str, FileRecord]:
    """The records of the encoder's files."""
    return record_files(folder, (MODEL_NAME, TOKENIZER_NAME))


def quantise(float_model: Path, target: Path) -> None:
    """int8 weights, one scale a column; activations are quantised as they come.

    Seven bits of range: on processors without VNNI the sums of full int8 products overflow, and
    the vectors must be the same everywhere (onnxruntime, "reduce_range").
    """
    with quiet_quantiser():
        quantize_dynamic(
            float_model,
            target,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            # Types are not inferred through the fused operators; all of them are float32.
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )


@contextmanager
def quiet_quantiser() -> Iterator[None]:
    """Keep the quantiser's advice (pre-process the graph first) out of our output."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def plain_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer without the fixed padding and truncation that its file prescribes."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def tokenize(tokenizer: Tokenizer, texts: Iterable[str]) -> list[NDArray[np.int32]]:
    """int32[1, tokens] for each text."""
    return [np.array([tokenizer.encode(text).ids], np.int32) for text in texts]


def compare(float_model: Path, int8_model: Path, texts: list[NDArray[np.int32]]) -> NDArray[np.float32]:
    """Cosines between both graphs' vectors of the texts, float32[len(texts)].

    Raises:
        ConfigError: their mean is under COSINE_MIN; the message has the numbers.
    """
    products = encode_all(float_model, texts) * encode_all(int8_model, texts)
    cosines: NDArray[np.float32] = products.sum(axis=1)
    if cosines.mean() < COSINE_MIN:
        raise ConfigError(
            "",
            f"the int8 encoder is too far from float32 on this machine: mean cosine {cosines.mean():.4f} "
            f"(lowest {cosines.min():.4f}) over {len(cosines)} sentences, wanted {COSINE_MIN}",
        )
    return cosines


def encode_all(model: Path, texts: list[NDArray[np.int32]]) -> NDArray[np.float32]:
    """One vector a text, float32[len(texts), dim]."""
    session = open_session(model, where="")
    return np.concatenate(
        [run_session(session, [VECTOR], {INPUT_IDS: ids}, stage="build")[0] for ids in texts]
    )
