"""The verifier's graph must say what its parts say, and hold the shared weights once."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from router_extproc.models.onnx.building.graph import Architecture
from router_extproc.models.onnx.building.pair_graph import (
    ASKED,
    CACHED,
    HIDDEN,
    LOGIT,
    join_graphs,
    write_lower,
    write_upper,
)
from router_extproc.models.onnx.tensors import INPUT_IDS

SHAPE = Architecture(layers=3, heads=2, dim=8, max_tokens=16, epsilon=1e-12)
LOWER_LAYERS = 1
WORDS = 50
HEAD_WIDTH = 4

Weights = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def weights() -> Weights:
    rng = np.random.default_rng(5)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (WORDS, 8),
        "embeddings.position_embeddings.weight": (16, 8),
        "embeddings.token_type_embeddings.weight": (2, 8),
        "embeddings.LayerNorm.weight": (8,),
        "embeddings.LayerNorm.bias": (8,),
        "side.weight": (2, 8),
        "wide.weight": (HEAD_WIDTH, 32),
        "wide.bias": (HEAD_WIDTH,),
        "narrow.weight": (1, HEAD_WIDTH),
        "narrow.bias": (1,),
        "likeness": (2,),
    }
    for layer in range(SHAPE.layers):
        prefix = f"encoder.layer.{layer}."
        for part in ("query", "key", "value"):
            shapes |= {
                f"{prefix}attention.self.{part}.weight": (8, 8),
                f"{prefix}attention.self.{part}.bias": (8,),
            }
        for part, (rows, columns) in {
            "attention.output.dense": (8, 8),
            "intermediate.dense": (16, 8),
            "output.dense": (8, 16),
        }.items():
            shapes |= {f"{prefix}{part}.weight": (rows, columns), f"{prefix}{part}.bias": (rows,)}
        for part in ("attention.output", "output"):
            shapes |= {f"{prefix}{part}.LayerNorm.{name}": (8,) for name in ("weight", "bias")}
    made = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return {**made, **{f"trunk.{name}": value for name, value in made.items()}}


def run(model: onnx.ModelProto, output: str, **feeds: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (result,) = session.run([output], feeds)
    return np.asarray(result)


def ids(*numbers: int) -> np.ndarray:
    return np.array([numbers], np.int32)


def judge(weights: Weights, cached: np.ndarray, asked: np.ndarray) -> float:
    lower, upper = write_lower(weights, SHAPE, LOWER_LAYERS), write_upper(weights, SHAPE, LOWER_LAYERS)
    return float(run(join_graphs(lower, upper), LOGIT, cached_ids=cached, asked_ids=asked)[0])


def test_the_joined_graph_says_what_its_parts_say(weights: Weights) -> None:
    lower, upper = write_lower(weights, SHAPE, LOWER_LAYERS), write_upper(weights, SHAPE, LOWER_LAYERS)
    cached, asked = ids(1, 2, 3), ids(4, 5, 6, 7, 8)
    hidden = {
        side: run(lower, HIDDEN, **{INPUT_IDS: tokens}) for side, tokens in ((CACHED, cached), (ASKED, asked))
    }
    apart = float(run(upper, LOGIT, **hidden)[0])
    assert judge(weights, cached, asked) == pytest.approx(apart, abs=1e-5)


def test_both_sides_are_read_and_told_apart(weights: Weights) -> None:
    first, second = ids(1, 2, 3), ids(1, 2, 4)
    scores = {judge(weights, first, second), judge(weights, second, first), judge(weights, first, first)}
    assert len(scores) == 3


def test_the_lower_weights_are_in_the_joined_graph_once(weights: Weights) -> None:
    lower, upper = write_lower(weights, SHAPE, LOWER_LAYERS), write_upper(weights, SHAPE, LOWER_LAYERS)
    joined = join_graphs(lower, upper)
    onnx.checker.check_model(joined)
    assert len(joined.graph.initializer) == len(lower.graph.initializer) + len(upper.graph.initializer)
    assert sum(tensor.name == "words" for tensor in joined.graph.initializer) == 1
