"""What the supervisor counts is what worker 0 shows."""

from __future__ import annotations

from pathlib import Path

from router_extproc.process.restarts import RestartCounts, read_restarts


def test_what_was_counted_is_read(tmp_path: Path) -> None:
    counts = RestartCounts(tmp_path)
    counts.count(1, "frozen")
    counts.count(1, "frozen")
    counts.count(0, "signal")
    assert read_restarts(tmp_path) == {1: {"frozen": 2}, 0: {"signal": 1}}
    assert counts.counts() == read_restarts(tmp_path)


def test_before_the_first_there_is_nothing(tmp_path: Path) -> None:
    assert read_restarts(tmp_path) == {}


def test_without_a_supervisor_there_is_nothing() -> None:
    assert read_restarts(None) == {}


def test_a_count_replaces_the_file_and_leaves_none_beside_it(tmp_path: Path) -> None:
    """Worker 0 may read at any time."""
    RestartCounts(tmp_path).count(0, "exited")
    assert [path.name for path in tmp_path.iterdir()] == ["restarts.json"]


def test_a_worker_reads_the_old_counts_while_new_ones_cannot_be_written(tmp_path: Path) -> None:
    """A full disk, or a supervisor that was killed while it wrote, costs a count and nothing else."""
    counts = RestartCounts(tmp_path)
    counts.count(0, "exited")
    (tmp_path / "restarts.json.new").mkdir()
    counts.count(0, "exited")
    assert read_restarts(tmp_path) == {0: {"exited": 1}}
    assert counts.counts() == {0: {"exited": 2}}
