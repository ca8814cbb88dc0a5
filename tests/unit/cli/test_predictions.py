"""A file of predictions has one for every row: half of it would be read as another evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from router_extproc.cli.predictions import collect_predictions
from router_extproc.errors import ConfigError


def interrupted() -> Iterator[dict[str, float]]:
    yield {"score": 0.5}
    raise KeyboardInterrupt


def test_predictions_are_written_one_a_line(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    collect_predictions(iter([{"score": 0.5}, {"score": 1.0}]), 2, target)
    assert target.read_text() == '{"score":0.5}\n{"score":1.0}\n'


def test_an_evaluation_that_is_interrupted_leaves_the_predictions_of_the_last_one(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("whole\n")
    with pytest.raises(KeyboardInterrupt):
        collect_predictions(interrupted(), 2, target)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["whole\n"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot write"):
        collect_predictions(iter([{"score": 0.5}]), 1, tmp_path / "none" / "out.jsonl")
