"""Where and how encoders run, and what their graphs may look like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.encoder import OnnxEncoder, Pooling
from router_extproc.models.onnx.home import IDENTITY, built_name, home, models_folder
from router_extproc.models.onnx.open import open_encoder
from router_extproc.models.onnx.session import Engine

DIM = 4


def write_encoder(folder: Path, *, inputs: dict[str, int], pooled: bool) -> Path:
    """Three words' numbers as vectors: a graph with these inputs and element types."""
    folder.mkdir()
    generator = np.random.default_rng(2)
    table = generator.normal(0, 1, (31_000, DIM)).astype(np.float32)
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["tokens"])]
    unread = sorted(inputs.keys() - {"input_ids"})
    nodes += [helper.make_node("Identity", [name], [f"{name}.read"]) for name in unread]
    output, shape = "tokens", ["batch", "length", DIM]
    initializers = [numpy_helper.from_array(table, "table")]
    if pooled:
        initializers.append(numpy_helper.from_array(np.array([1], np.int64), "axis"))
        nodes.append(helper.make_node("ReduceMean", ["tokens", "axis"], ["pooled"], keepdims=0))
        output, shape = "pooled", ["batch", DIM]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, kind, ["batch", "length"]) for name, kind in inputs.items()],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        initializer=initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    built = models_folder(home()) / built_name(IDENTITY) / "tokenizer.json"
    (folder / "tokenizer.json").write_bytes(built.read_bytes())
    return folder


ALL = {
    "input_ids": TensorProto.INT64,
    "attention_mask": TensorProto.INT64,
    "token_type_ids": TensorProto.INT64,
}


def vector_of(folder: Path, pooling: Pooling = "mean") -> list[float]:
    return [float(value) for value in open_encoder(folder, pooling=pooling).encode("bread and cake").vector]


@pytest.mark.parametrize(
    "inputs",
    [
        {"input_ids": TensorProto.INT32},
        {"input_ids": TensorProto.INT64},
        {name: kind for name, kind in ALL.items() if name != "token_type_ids"},
        ALL,
        {"token_type_ids": TensorProto.INT32, "input_ids": TensorProto.INT64},
    ],
    ids=["int32", "int64", "with mask", "with types", "mixed"],
)
def test_inputs_of_any_known_form_are_fed(
    encoder: OnnxEncoder, tmp_path: Path, inputs: dict[str, int]
) -> None:
    plain = write_encoder(tmp_path / "plain", inputs={"input_ids": TensorProto.INT64}, pooled=False)
    other = write_encoder(tmp_path / "other", inputs=inputs, pooled=False)
    assert vector_of(other) == pytest.approx(vector_of(plain))


def test_graph_that_pooled_is_scaled_to_length_one(encoder: OnnxEncoder, tmp_path: Path) -> None:
    """The cache takes products for cosines."""
    pooled = write_encoder(tmp_path / "pooled", inputs=ALL, pooled=True)
    tokens = write_encoder(tmp_path / "tokens", inputs=ALL, pooled=False)
    assert float(np.linalg.norm(vector_of(pooled))) == pytest.approx(1)
    assert vector_of(pooled) == pytest.approx(vector_of(tokens), abs=1e-5)


def test_pooling_changes_vectors_and_identity(encoder: OnnxEncoder, tmp_path: Path) -> None:
    """Entries of the cache must not be compared across it."""
    folder = write_encoder(tmp_path / "tokens", inputs=ALL, pooled=False)
    assert vector_of(folder, "cls") != pytest.approx(vector_of(folder))
    by_mean, by_first, prefixed = (
        open_encoder(folder).identity,
        open_encoder(folder, pooling="cls").identity,
        open_encoder(folder, prefix="query: ").identity,
    )
    assert len({by_mean, by_first, prefixed}) == 3


def test_unknown_input_is_named(encoder: OnnxEncoder, tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "odd", inputs={**ALL, "position_ids": TensorProto.INT64}, pooled=False)
    with pytest.raises(ConfigError, match="an unknown input: position_ids"):
        open_encoder(folder)


def test_provider_that_is_not_there_is_refused_with_those_that_are(encoder: OnnxEncoder) -> None:
    with pytest.raises(
        ConfigError, match=r"encoder\.providers: .* no NoSuchProvider \(available: .*CPUExecutionProvider"
    ):
        open_encoder(engine=Engine(providers=("NoSuchProvider", "CPUExecutionProvider")))


def test_more_threads_give_the_same_vector(encoder: OnnxEncoder) -> None:
    threaded = open_encoder(engine=Engine(threads=2)).encode("How do I bake bread?").vector
    assert float(threaded @ encoder.encode("How do I bake bread?").vector) > 0.9999
