"""The task layers read for the heads and leave the encoder's vectors as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.building.task_layers import build_task_layers
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.heads import open_head
from router_extproc.models.onnx.home import HOME_VARIABLE, IDENTITY, built_name, home, models_folder
from router_extproc.models.onnx.manifest import read_manifest, write_manifest
from router_extproc.models.onnx.open import open_encoder
from router_extproc.models.onnx.task_layers import (
    ARTIFACT,
    LOWER_NAME,
    TASKS_NAME,
    UPPER_NAME,
    TaskLayersManifest,
    open_task_graph,
)

TEXTS = [
    "hi",
    "What are the main renewable energy sources?",
    "Grüße aus Köln 🙂",
    "no two words of it are the same " * 60,
]


@pytest.fixture
def own_home(encoder: OnnxEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models of one's own, to be damaged."""
    trunk = built_name(read_manifest(ARTIFACT, TaskLayersManifest, where="test").identity)
    for name in (built_name(IDENTITY), trunk):
        shutil.copytree(models_folder(home()) / name, models_folder(tmp_path) / name)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    return models_folder(tmp_path) / trunk


@pytest.mark.parametrize("text", TEXTS)
def test_task_layers_do_not_change_the_vector(encoder: OnnxEncoder, text: str) -> None:
    """Entries of the cache must be found whether signals were read or not."""
    alone = open_encoder(tasks=False).encode(text)
    with_tasks = encoder.encode(text, tasks=True)
    assert np.array_equal(alone.vector, with_tasks.vector)
    assert np.array_equal(alone.vector, encoder.encode(text).vector)


def test_tasks_are_read_only_when_asked_for(encoder: OnnxEncoder) -> None:
    assert encoder.encode("hi").tasks is None
    assert open_encoder(tasks=False).encode("hi", tasks=True).tasks is None


def test_text_without_tokens_has_no_task_reading(encoder: OnnxEncoder) -> None:
    assert encoder.encode("", tasks=True).tasks is None


@pytest.mark.parametrize("text", ["Как дела сегодня?", "你好今天天气怎么样", "word " * 300, "buffalo " * 20])
def test_what_the_layers_never_learned_has_no_task_reading(encoder: OnnxEncoder, text: str) -> None:
    """Of other scripts, and of one word on and on, they would only guess."""
    assert encoder.encode(text, tasks=True).tasks is None


@pytest.mark.parametrize("text", ["Ciao, come stai?", "Chào bạn, hôm nay thế nào?", "no, no, no, no"])
def test_other_languages_in_latin_letters_are_read(encoder: OnnxEncoder, text: str) -> None:
    assert encoder.encode(text, tasks=True).tasks is not None


def test_names_and_places_are_found(encoder: OnnxEncoder) -> None:
    text = "Please send the contract to Maria Keller in Lisbon."
    reading = encoder.encode(text, tasks=True).tasks
    assert reading is not None
    assert ("Maria Keller", "PERSON") in [(text[name.start : name.end], name.kind) for name in reading.names]


def test_a_place_that_is_asked_about_is_no_personal_fact(encoder: OnnxEncoder) -> None:
    reading = encoder.encode("What is the capital of France?", tasks=True).tasks
    assert reading is not None
    assert [name for name in reading.names if name.score >= 0.7] == []


def test_a_head_of_the_task_layers_needs_them() -> None:
    with pytest.raises(ConfigError, match="was trained on the vectors of minilm-tasks"):
        open_head("mmlu14", encoder=open_encoder(tasks=False), where="test")


@pytest.mark.parametrize("name", [LOWER_NAME, UPPER_NAME, TASKS_NAME])
def test_damaged_part_is_refused_by_name(own_home: Path, name: str) -> None:
    (own_home / name).write_bytes(b"broken")
    with pytest.raises(ConfigError, match=name):
        open_task_graph()


def test_layers_that_were_not_built_name_the_command(own_home: Path) -> None:
    shutil.rmtree(own_home)
    with pytest.raises(ConfigError, match="router-extproc models build"):
        open_encoder()


def test_damaged_build_is_made_again(own_home: Path) -> None:
    (own_home / TASKS_NAME).write_bytes(b"broken")
    build_task_layers(own_home.parent)
    assert open_task_graph().dim == 384


def test_layers_of_another_encoder_are_refused(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(ARTIFACT, tmp_path / "trunk"))
    manifest = read_manifest(copy, TaskLayersManifest, where="test")
    write_manifest(copy, manifest.model_copy(update={"encoder": "another-1"}))
    with pytest.raises(ConfigError, match="another-1"):
        build_task_layers(tmp_path, artifact=copy)


@pytest.mark.parametrize("text", ["привет как дела", "мир hello 你好 שלום नमस्ते", "你好"])
def test_nothing_is_said_of_scripts_that_were_not_learned(encoder: OnnxEncoder, text: str) -> None:
    """Guesses there were names and attacks that nobody wrote."""
    assert encoder.encode(text, tasks=True).tasks is None


@pytest.mark.parametrize(
    "text", ["Grüße aus Köln", "Xin chào thế giới, bạn khỏe không?", "42 + 7 = ?", "naïve café 你"]
)
def test_accents_numbers_and_a_foreign_word_are_read(encoder: OnnxEncoder, text: str) -> None:
    assert encoder.encode(text, tasks=True).tasks is not None
