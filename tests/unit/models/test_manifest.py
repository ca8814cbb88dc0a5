"""A manifest that is not whole makes no model: it is refused by name, wherever it was cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.manifest import (
    MANIFEST_NAME,
    HeadManifest,
    read_manifest,
    record_files,
    write_manifest,
)


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """The folder of a head, whole."""
    (tmp_path / "head.onnx").write_bytes(b"graph")
    files = record_files(tmp_path, ("head.onnx",))
    facts = {"name": "topics", "task": "intent", "labels": ("a", "b"), "encoder": "e", "dim": 4}
    write_manifest(tmp_path, HeadManifest.model_validate({**facts, "temperature": 1.0, "files": files}))
    return tmp_path


def test_a_manifest_that_was_cut_is_refused_by_name(head: Path) -> None:
    file = head / MANIFEST_NAME
    whole = file.read_bytes().rstrip()
    for end in range(len(whole)):
        file.write_bytes(whole[:end])
        with pytest.raises(ConfigError, match=f"{file} is no HeadManifest"):
            read_manifest(head, HeadManifest, where="")


def test_a_graph_that_was_cut_is_refused_by_name(head: Path) -> None:
    (head / "head.onnx").write_bytes(b"grap")
    with pytest.raises(ConfigError, match=r"head\.onnx is damaged"):
        read_manifest(head, HeadManifest, where="")
