"""Checks the rows of a user's labels before anything is trained.

Every problem is told at once, each with its line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from router_extproc.errors import ConfigError
from router_extproc.evaluation.rows import OUT_OF_SCOPE, Row, read_rows, refuse
from router_extproc.training.heads.examples import Example

#: Rows a label needs: some to learn from, and some to be judged on.
LABEL_ROWS_MIN = 4
LABELS_MIN = 2


def read_own(path: Path) -> list[Example]:
    """The rows; the same text twice under one label counts once.

    Raises:
        ConfigError: the file cannot be read, or has no rows.
        ConfigProblems: what is wrong, each with its line.
    """
    rows = read_rows(path, required=("text", "label"))
    refuse(path, [*blank_rows(path, rows), *contradictions(path, rows)])
    refuse(path, list(label_problems(path, rows)))
    once = {plain(row.text("text")): row for row in reversed(rows)}
    return [Example(row.text("text"), row.text("label"), path.name) for row in reversed(once.values())]


def plain(text: str) -> str:
    """The text without what makes no difference: case and spacing."""
    return " ".join(text.casefold().split())


def blank_rows(path: Path, rows: Sequence[Row]) -> Iterator[ConfigError]:
    """Rows without a text or a label."""
    for row in rows:
        empty = [name for name in ("text", "label") if not row.text(name).strip()]
        if empty:
            yield ConfigError(f"{path}:{row.line}", f"{' and '.join(empty)} must not be empty")


def contradictions(path: Path, rows: Sequence[Row]) -> Iterator[ConfigError]:
    """Rows whose text has another label further up."""
    first: dict[str, Row] = {}
    for row in rows:
        other = first.setdefault(plain(row.text("text")), row)
        if other.text("label") != row.text("label"):
            here, there = row.text("label"), other.text("label")
            told = f"the same text is '{there}' in line {other.line} and '{here}' here"
            yield ConfigError(f"{path}:{row.line}", told)


def label_problems(path: Path, rows: Sequence[Row]) -> Iterator[ConfigError]:
    """Labels with too few different texts, and too few labels."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        found[row.text("label")].setdefault(plain(row.text("text")), row.line)
    in_scope = {label: lines for label, lines in found.items() if label != OUT_OF_SCOPE}
    if len(in_scope) < LABELS_MIN:
        named = ", ".join(f"'{label}'" for label in in_scope) or "none"
        besides = f" beside '{OUT_OF_SCOPE}'" if OUT_OF_SCOPE in found else ""
        yield ConfigError(
            str(path), f"training needs at least two labels{besides}, but the rows have {named}"
        )
    for label, lines in in_scope.items():
        if len(lines) < LABEL_ROWS_MIN:
            where = ", ".join(map(str, lines.values()))
            needed = f"'{label}' has {len(lines)} (line {where})"
            yield ConfigError(str(path), f"a label needs {LABEL_ROWS_MIN} different texts, but {needed}")
