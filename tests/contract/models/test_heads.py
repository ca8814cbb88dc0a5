"""Shipped heads: they say what they said, and nothing else is taken for one."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from router_extproc.errors import ConfigError
from router_extproc.models.base import TaskReading
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.heads import ARTIFACTS, HEAD_NAME, ClassifierHead, list_heads, open_head
from router_extproc.models.onnx.manifest import MANIFEST_NAME, HeadManifest, record_files, write_manifest
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.training.heads.net import Net
from router_extproc.training.heads.phrases import train_phrases
from router_extproc.training.task_layers.task_head import Read, TaskHead, write_task_head

SAMPLES = Path(__file__).parents[2] / "samples" / "models"
#: What each shipped head said when it was trained, the best label by text; scores may differ a little
#: between processors.
GOLDEN = {name: json.loads((SAMPLES / f"{name}.json").read_text("utf-8")) for name in list_heads()}
SCORE_TOLERANCE = 0.08


@pytest.fixture(scope="module")
def head(encoder: OnnxEncoder) -> ClassifierHead:
    return open_head("mmlu14", encoder=encoder, where="test")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A shipped head of one's own, to be damaged."""
    return Path(shutil.copytree(ARTIFACTS / "mmlu14", tmp_path / "mine"))


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in GOLDEN for text in GOLDEN[name]])
def test_predictions_do_not_drift(encoder: OnnxEncoder, name: str, text: str) -> None:
    scores = open_head(name, encoder=encoder, where="test").scores(encoder.encode(text, tasks=True))
    label, score = GOLDEN[name][text]
    assert max(scores, key=scores.__getitem__) == label
    assert scores[label] == pytest.approx(score, abs=SCORE_TOLERANCE)


@pytest.mark.parametrize(
    "text", ["hi, how are you?", "hello", "thanks!", "tell me a joke", "what can you do?"]
)
def test_small_talk_is_other(encoder: OnnxEncoder, head: ClassifierHead, text: str) -> None:
    """It must not land confidently in a field of study, and so on its expensive model."""
    assert head.scores(encoder.encode(text, tasks=True))["other"] > 0.5


def test_scores_are_chances(encoder: OnnxEncoder, head: ClassifierHead) -> None:
    scores = head.scores(encoder.encode("any text", tasks=True))
    assert tuple(scores) == tuple(head.labels)
    assert sum(scores.values()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("name", list_heads())
def test_every_shipped_head_has_a_card(name: str) -> None:
    card = (list_heads()[name] / "card.md").read_text("utf-8")
    assert all(heading in card for heading in ("## Learned from", "## How it was judged", "## Limits"))


def test_head_from_a_folder_opens(encoder: OnnxEncoder, copy: Path) -> None:
    assert "math" in open_head(str(copy), encoder=encoder, where="test").labels


def test_unknown_head_names_the_shipped_ones(encoder: OnnxEncoder) -> None:
    with pytest.raises(ConfigError, match=r"signals\.x\.model: no head named 'mmlu15' .*mmlu14"):
        open_head("mmlu15", encoder=encoder, where="signals.x.model")


def test_damaged_graph_is_refused_by_name_and_checksum(encoder: OnnxEncoder, copy: Path) -> None:
    """Also one that onnxruntime would open."""
    graph = bytearray((copy / HEAD_NAME).read_bytes())
    graph[len(graph) // 2] ^= 1
    (copy / HEAD_NAME).write_bytes(graph)
    with pytest.raises(ConfigError, match=rf"{HEAD_NAME} is damaged or not ours: sha256 [0-9a-f]{{12}}"):
        open_head(str(copy), encoder=encoder, where="test")


def test_damaged_manifest_is_refused_by_name(encoder: OnnxEncoder, copy: Path) -> None:
    (copy / MANIFEST_NAME).write_text("{")
    with pytest.raises(ConfigError, match=MANIFEST_NAME):
        open_head(str(copy), encoder=encoder, where="test")


def test_missing_file_is_refused_by_name(encoder: OnnxEncoder, copy: Path) -> None:
    (copy / HEAD_NAME).unlink()
    with pytest.raises(ConfigError, match=HEAD_NAME):
        open_head(str(copy), encoder=encoder, where="test")


def test_head_of_another_encoder_is_refused(copy: Path) -> None:
    with pytest.raises(ConfigError, match=r"trained on the vectors of minilm-tasks.* the encoder is fake-64"):
        open_head(str(copy), encoder=FakeEncoder(), where="test")


def test_graph_that_is_not_what_its_manifest_says_is_refused(encoder: OnnxEncoder, copy: Path) -> None:
    manifest = HeadManifest.model_validate_json((copy / MANIFEST_NAME).read_bytes())
    write_manifest(copy, manifest.model_copy(update={"labels": manifest.labels[1:]}))
    with pytest.raises(ConfigError, match="is not a head of 13 labels"):
        open_head(str(copy), encoder=encoder, where="test")


def test_graph_that_is_none_is_refused(encoder: OnnxEncoder, copy: Path) -> None:
    (copy / HEAD_NAME).write_bytes(b"no graph")
    manifest = HeadManifest.model_validate_json((copy / MANIFEST_NAME).read_bytes())
    write_manifest(copy, manifest.model_copy(update={"files": record_files(copy, (HEAD_NAME,))}))
    with pytest.raises(ConfigError, match="onnxruntime cannot open"):
        open_head(str(copy), encoder=encoder, where="test")


def test_written_head_says_what_its_parts_say(tmp_path: Path) -> None:
    """Weights and temperature are inside the graph; the table over words is rounded to eight bits."""
    generator = np.random.default_rng(4)
    shapes = ((64, 8), (8,), (8, 3), (3,))
    net = Net(*(generator.normal(0, 1, shape).astype(np.float32) for shape in shapes))
    fake = FakeEncoder()
    encodings = [fake.encode(text) for text in ("some words here", "other words there", "some")]
    texts = [np.array(encoding.ids, np.int64) for encoding in encodings]
    words = train_phrases(texts * 4, np.array([0, 1, 2] * 4), 3)
    task = generator.normal(0, 1, (3, 64)).astype(np.float32)
    kernel = generator.normal(0, 1, (64, 3)).astype(np.float32)
    head = TaskHead(("a", "b", "c"), kernel, np.ones(3, np.float32), 2.0, (net, 0.5), (words, 0.3))
    write_task_head(tmp_path / "own", head, encoder=fake.identity)
    written = open_head(str(tmp_path / "own"), encoder=fake, where="test")
    wanted = head.scores(Read(task, np.stack([each.vector for each in encodings]), texts))
    for encoding, vector, row in zip(encodings, task, wanted, strict=True):
        scores = written.scores(replace(encoding, tasks=TaskReading(vector)))
        assert list(scores.values()) == pytest.approx(row.tolist(), abs=2e-3)


def test_a_head_says_nothing_of_an_encoding_without_task_layers(
    encoder: OnnxEncoder, head: ClassifierHead
) -> None:
    assert head.scores(encoder.encode("any text")) == {}
