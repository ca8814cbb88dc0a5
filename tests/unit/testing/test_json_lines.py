"""A writer may be killed at any byte: readers see whole lines only, and the next writer begins its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from router_extproc.testing.json_lines import JsonLinesFile, read_json_lines, read_log_lines, whole_lines

LINES = b'{"event": "opened"}\n{"event": "closed"}\n'


def torn_files(folder: Path) -> list[Path]:
    """One file for each byte at which the second line may have been cut."""
    files = []
    for end in range(LINES.index(b"\n") + 1, len(LINES)):
        files.append(folder / f"{end}.jsonl")
        files[-1].write_bytes(LINES[:end])
    return files


def test_a_line_is_read_only_when_it_has_its_end(tmp_path: Path) -> None:
    """Wherever the kill came, also just before the line feed."""
    for file in torn_files(tmp_path):
        assert read_json_lines(file) == [{"event": "opened"}], file.name


def test_a_file_that_is_not_there_yet_has_no_lines(tmp_path: Path) -> None:
    assert read_json_lines(tmp_path / "none") == []


def test_a_writer_does_not_go_on_behind_a_line_that_was_cut(tmp_path: Path) -> None:
    """A worker that is killed and started again appends to the same file."""
    for file in torn_files(tmp_path):
        JsonLinesFile(file).append({"event": "again"})
        assert read_json_lines(file) == [{"event": "opened"}, {"event": "again"}], file.name


def test_a_writer_keeps_the_whole_lines_of_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(LINES)
    JsonLinesFile(file).append({"event": "again"})
    assert file.read_bytes() == LINES + b'{"event": "again"}\n'


def test_a_whole_line_that_is_no_json_is_an_error(tmp_path: Path) -> None:
    """No kill leaves that: hiding it would hide a defect of the writer."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(b'{"event": \n' + LINES)
    with pytest.raises(json.JSONDecodeError):
        read_json_lines(file)


def test_a_log_of_several_processes_is_read_around_what_a_kill_cut(tmp_path: Path) -> None:
    log = tmp_path / "sidecar.log"
    log.write_bytes(LINES + b'{"event": "cu' + b'{"event": "glued"}\nTraceback\n12\n' + LINES + b'{"event"')
    assert [line["event"] for line in read_log_lines(log)] == ["opened", "closed"] * 2


def test_lines_are_bytes_as_they_stand(tmp_path: Path) -> None:
    """U+2028 and a carriage return end no line of a log."""
    file = tmp_path / "log"
    file.write_bytes("a\u2028b\rc\nd".encode())
    assert whole_lines(file) == ["a\u2028b\rc".encode()]
