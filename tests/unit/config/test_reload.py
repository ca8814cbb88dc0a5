"""A file that is read again: taken whole, or refused with all its problems."""

from __future__ import annotations

import os
from pathlib import Path

from router_extproc.config.read import read_config
from router_extproc.config.reload import Readable, Refused, read_candidate

TEXT = "version: 1\ndefault_model: a\nmodels: {a: {cluster: a}}\n"


def test_a_file_that_fits_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "router.yaml"
    file.write_text(TEXT)
    started = read_config(file)
    file.write_text(TEXT + "decisions: [{name: all, model: a}]\n")
    found = read_candidate(file, started)
    assert isinstance(found, Readable)
    assert [decision.name for decision in found.config.decisions] == ["all"]


def test_a_broken_file_is_refused_with_all_its_problems_and_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "router.yaml"
    file.write_text(TEXT)
    started = read_config(file)
    file.write_text(TEXT + "decisions: [{name: all, model: b}]\nworkers: 0\n")
    found = read_candidate(file, started)
    assert isinstance(found, Refused)
    assert [(problem.path, problem.mark and problem.mark.line) for problem in found.problems] == [
        ("decisions[0].model", 4),
        ("workers", 5),
    ]


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "router.yaml"
    file.write_text(TEXT)
    started = read_config(file)
    file.unlink()
    assert isinstance(read_candidate(file, started), Refused)


def test_what_needs_a_restart_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "router.yaml"
    file.write_text(TEXT)
    started = read_config(file)
    file.write_text(TEXT + "workers: 2\nlisten: unix:/tmp/{worker}.sock\n")
    found = read_candidate(file, started)
    assert isinstance(found, Refused)
    assert {problem.path: problem.mark and problem.mark.line for problem in found.problems} == {
        "workers": 4,
        "listen": 5,
    }


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    """Nobody may ever write to it, and later reloads wait for this one."""
    file = tmp_path / "router.yaml"
    file.write_text(TEXT)
    started = read_config(file)
    file.unlink()
    os.mkfifo(file)
    found = read_candidate(file, started)
    assert isinstance(found, Refused)
    assert [problem.problem for problem in found.problems] == [f"cannot read {file}: it is a pipe"]
