"""Reads rows for training and evaluation: JSON Lines, one object a line.

A file with a broken line is refused, with the numbers of all its broken lines, because predictions are
written by position.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router_extproc.errors import ConfigError, ConfigProblems

#: Broken lines that are listed; more are counted.
PROBLEMS_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One object of the file."""

    #: Counted from 1.
    line: int
    fields: Mapping[str, Any]  # Any: whatever JSON has; the required ones are text

    def text(self, name: str) -> str:
        """A required field."""
        return str(self.fields[name])


def read_rows(path: Path, *, required: Sequence[str]) -> list[Row]:
    """Every row; blank lines are passed over.

    Raises:
        ConfigError: the file cannot be read or has no rows.
        ConfigProblems: broken lines, each with its number.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})") from error
    rows: list[Row] = []
    problems: list[ConfigError] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row = read_row(line, number, required)
        if isinstance(row, Row):
            rows.append(row)
        else:
            problems.append(ConfigError(f"{path}:{number}", row))
    refuse(path, problems)
    if not rows:
        raise ConfigError(str(path), "has no rows")
    return rows


def read_row(line: bytes, number: int, required: Sequence[str]) -> Row | str:
    """The row, or what is wrong with it."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return "is no JSON"
    if not isinstance(fields, dict):
        return "is no JSON object"
    wrong = [name for name in required if not isinstance(fields.get(name), str)]
    return f"needs text in {', '.join(wrong)}" if wrong else Row(number, fields)


def read_labels(path: Path, rows: Sequence[Row], *, field: str = "label") -> list[str | None]:
    """The label of each row, a text; None where it has none.

    Raises:
        ConfigProblems: labels that are no text, each with its line number.
    """
    wrong = [row for row in rows if not isinstance(row.fields.get(field), str | None)]
    refuse(path, [ConfigError(f"{path}:{row.line}", f"{field} must be text") for row in wrong])
    return [row.fields.get(field) for row in rows]


def read_answers(path: Path, rows: Sequence[Row]) -> list[bool | None]:
    """The label of each row, 0 or 1; None where it has none.

    Raises:
        ConfigProblems: labels that are neither, each with its line number.
    """
    wrong = [row for row in rows if row.fields.get("label") not in (None, 0, 1)]
    refuse(path, [ConfigError(f"{path}:{row.line}", "label must be 0 or 1") for row in wrong])
    return [None if (label := row.fields.get("label")) is None else bool(label) for row in rows]


def refuse(path: Path, problems: Sequence[ConfigError]) -> None:
    """Raise ConfigProblems if there are any, the first PROBLEMS_SHOWN_MAX of them in words."""
    if not problems:
        return
    more = len(problems) - PROBLEMS_SHOWN_MAX
    rest = (ConfigError(str(path), f"and {more} more lines like these"),) if more > 0 else ()
    raise ConfigProblems((*problems[:PROBLEMS_SHOWN_MAX], *rest))


#: The label of rows that mean none of the others.
OUT_OF_SCOPE = "oos"
