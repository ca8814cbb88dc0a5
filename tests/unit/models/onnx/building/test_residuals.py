"""Sums that are normalised: written in operators that are fast, and left so by onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from router_extproc.models.onnx.building.graph import IR_VERSION, MICROSOFT, OPSET, separate_normalisations
from router_extproc.models.onnx.session import CPU, ONE_THREAD, options_of

DIM = 8
FUSED = "SkipLayerNormalization"


@pytest.fixture
def former() -> onnx.ModelProto:
    """A graph as it was written before: one fused operator for bias, residual and normalisation."""
    rng = np.random.default_rng(3)
    names = ("scale", "shift", "bias")
    node = helper.make_node(
        FUSED, ["narrow", "residual", *names], ["normal"], name="normal", domain=MICROSOFT, epsilon=1e-12
    )
    shape = [1, "tokens", DIM]
    graph = helper.make_graph(
        [node],
        "former",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("narrow", "residual")],
        [helper.make_tensor_value_info("normal", TensorProto.FLOAT, shape)],
        initializer=[
            numpy_helper.from_array(rng.normal(size=DIM).astype(np.float32), name) for name in names
        ],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def run(model: onnx.ModelProto, options: ort.SessionOptions) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), options, providers=list(CPU))
    rng = np.random.default_rng(4)
    feeds = {name: rng.normal(size=(1, 5, DIM)).astype(np.float32) for name in ("narrow", "residual")}
    return np.asarray(session.run(None, feeds)[0])


def test_what_was_fused_before_gives_the_same(former: onnx.ModelProto) -> None:
    separate = onnx.ModelProto()
    separate.CopyFrom(former)
    separate_normalisations(separate)
    assert FUSED not in {node.op_type for node in separate.graph.node}
    np.testing.assert_allclose(
        run(separate, options_of(ONE_THREAD)), run(former, options_of(ONE_THREAD)), atol=1e-5
    )


def test_separating_twice_changes_nothing_more(former: onnx.ModelProto) -> None:
    separate_normalisations(former)
    once = former.SerializeToString()
    separate_normalisations(former)
    assert former.SerializeToString() == once


def test_onnxruntime_does_not_fuse_them_again(former: onnx.ModelProto, tmp_path: Path) -> None:
    separate_normalisations(former)
    options = options_of(ONE_THREAD)
    options.optimized_model_filepath = str(tmp_path / "as-it-runs.onnx")
    run(former, options)
    assert FUSED not in {node.op_type for node in onnx.load(tmp_path / "as-it-runs.onnx").graph.node}
