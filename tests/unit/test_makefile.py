"""What `make` would run, as `make --dry-run` tells."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def would_run(*words: str) -> str:
    """The commands, whatever `make` and words these tests themselves run under."""
    environment = {"PATH": os.environ["PATH"]}
    command = ["make", "--dry-run", *words]
    return subprocess.run(  # noqa: S603 - our own words, no shell
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_check_runs_the_unit_tests() -> None:
    assert "pytest -n 2 --dist loadfile -q tests/unit\n" in would_run("check")


def test_words_for_pytest_come_last() -> None:
    """The last -n counts: a person may ask for one process."""
    assert would_run("test", "ARGS=-n 0 -k one").endswith('"not vllm and not clients" -n 0 -k one\n')
