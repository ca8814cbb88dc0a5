"""Building the encoder: verified, whole or not there at all, and refused by name when damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.building import encoder as build
from router_extproc.models.onnx.building.encoder import build_encoder
from router_extproc.models.onnx.building.weights import OpenSource
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.home import (
    HOME_VARIABLE,
    IDENTITY,
    MODEL_NAME,
    TOKENIZER_NAME,
    built_name,
    home,
    models_folder,
)
from router_extproc.models.onnx.manifest import MANIFEST_NAME, EncoderManifest, read_manifest
from router_extproc.models.onnx.open import open_encoder

FOLDER = built_name(IDENTITY)
BUILT = models_folder(home()) / FOLDER


@pytest.fixture
def copy(encoder: OnnxEncoder, tmp_path: Path) -> Path:
    """A whole encoder of one's own, to be damaged."""
    return Path(shutil.copytree(models_folder(home()) / FOLDER, tmp_path / FOLDER))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, open_source: OpenSource) -> Path:
    """A folder into which the encoder was just built."""
    models = tmp_path_factory.mktemp("models")
    build_encoder(models, open_source)
    return models


def test_build_is_close_to_float32(fresh: Path) -> None:
    assert read_manifest(fresh / FOLDER, EncoderManifest, where="").cosine_mean >= 0.99


def test_build_gives_the_same_bytes_again(encoder: OnnxEncoder, fresh: Path) -> None:
    assert (fresh / FOLDER / MODEL_NAME).read_bytes() == (BUILT / MODEL_NAME).read_bytes()


def test_build_leaves_nothing_else_behind(fresh: Path) -> None:
    assert [path.name for path in fresh.iterdir()] == [FOLDER]


def test_build_that_is_too_far_from_float32_is_refused(
    tmp_path: Path, open_source: OpenSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "COSINE_MIN", 1.0)
    with pytest.raises(ConfigError, match=r"mean cosine 0\.99"):
        build_encoder(tmp_path, open_source)
    assert not list(tmp_path.iterdir())


def test_encoder_that_was_not_built_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    with pytest.raises(ConfigError, match="router-extproc models build"):
        open_encoder()


@pytest.mark.parametrize("name", [MODEL_NAME, TOKENIZER_NAME, MANIFEST_NAME])
def test_damaged_file_is_refused_by_name(copy: Path, name: str) -> None:
    (copy / name).write_bytes((copy / name).read_bytes()[:-10])
    with pytest.raises(ConfigError, match=name):
        open_encoder(copy)


def test_folder_without_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"encoder\.path: .* needs both"):
        open_encoder(tmp_path)


def test_window_wider_than_the_positions_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"encoder\.max_tokens: .* at most 512"):
        open_encoder(max_tokens=513)


def test_folder_without_manifest_is_named_by_its_graph(copy: Path, tmp_path: Path) -> None:
    """A user's own encoder: other vectors, other identity."""
    own = copy.rename(tmp_path / "mine")
    (own / MANIFEST_NAME).unlink()
    assert open_encoder(own).identity.startswith("mine-")


def test_graph_with_unknown_inputs_is_refused(copy: Path, tmp_path: Path) -> None:
    own = copy.rename(tmp_path / "mine")
    (own / MANIFEST_NAME).unlink()
    write_graph(own / MODEL_NAME, "pixels")
    with pytest.raises(ConfigError, match="pixels"):
        open_encoder(own)


def test_graph_that_ends_in_no_vectors_is_refused(copy: Path, tmp_path: Path) -> None:
    own = copy.rename(tmp_path / "mine")
    (own / MANIFEST_NAME).unlink()
    write_graph(own / MODEL_NAME, "input_ids")
    with pytest.raises(ConfigError, match=r"expected \[batch, dim\]"):
        open_encoder(own)


def write_graph(path: Path, input_name: str) -> None:
    """A graph that gives back its input, which is no vector."""
    graph = helper.make_graph(
        [helper.make_node("Identity", [input_name], ["out"])],
        "echo",
        [helper.make_tensor_value_info(input_name, TensorProto.INT64, ["batch", "tokens"])],
        [helper.make_tensor_value_info("out", TensorProto.INT64, ["batch", "tokens"])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


def test_token_vectors_are_pooled(copy: Path, tmp_path: Path) -> None:
    """Graphs from elsewhere end in one vector a token and take a mask."""
    own = copy.rename(tmp_path / "mine")
    (own / MANIFEST_NAME).unlink()
    write_token_graph(own / MODEL_NAME)
    vector = open_encoder(own, pooling="mean").encode("a text").vector
    assert vector.tolist() == pytest.approx([2**-0.5, 2**-0.5])


def write_token_graph(path: Path) -> None:
    """Every token's vector is its mask, twice."""
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["input_ids"], ["ids"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Unsqueeze", ["ids", "last"], ["unread"]),
        helper.make_node("Concat", ["column", "column"], ["out"], axis=2),
    ]
    names = ("input_ids", "attention_mask")
    graph = helper.make_graph(
        nodes,
        "tokens",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in names],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["batch", "tokens", 2])],
        initializer=[helper.make_tensor("last", TensorProto.INT64, [1], [2])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
