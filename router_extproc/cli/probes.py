"""Probes: prompts and the decisions that they are expected to get, kept beside a configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from router_extproc.cli.deciding import decide_all
from router_extproc.cli.recorded import read_recorded
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError
from router_extproc.evaluation.policy_comparison import PolicyOutcome
from router_extproc.evaluation.rows import Row, read_rows, refuse

#: What a probe may expect.
_EXPECTED: Final = ("decision", "model")


def failed_probes(config: Config, path: Path) -> tuple[int, list[str]]:
    """How many probes there are, and a line for each that gets another decision or model.

    Raises:
        ConfigProblems: rows that are no probes, each with its line.
    """
    rows = read_rows(path, required=())
    problems = [ConfigError(f"{path}:{row.line}", problem) for row in rows if (problem := _problem(row))]
    refuse(path, problems)
    outcomes = asyncio.run(decide_all(config, read_recorded(path, config)))
    pairs = zip(rows, outcomes, strict=True)
    return len(rows), [f"{path}:{row.line}: {wrong}" for row, got in pairs for wrong in _wrong(row, got)]


def _problem(row: Row) -> str:
    expected = [row.fields[name] for name in _EXPECTED if name in row.fields]
    if not expected or not all(isinstance(value, str) for value in expected):
        return "expects nothing: write decision or model"
    return ""


def _wrong(row: Row, got: PolicyOutcome) -> Iterator[str]:
    for name in _EXPECTED:
        expected, found = row.fields.get(name), getattr(got, name)
        if expected is not None and expected != found:
            yield f"{name}: expected '{expected}', got '{found}' (signals: {_held(got)})"


def _held(got: PolicyOutcome) -> str:
    """The tests that held, of all rules."""
    held = (test for rule in got.rules.values() for test, holds in rule.tests.items() if holds)
    return ", ".join(dict.fromkeys(held)) or "none held"
