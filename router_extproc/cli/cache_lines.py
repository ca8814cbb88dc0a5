"""JSON Lines to and from the admin port: what `cache export`, `import` and `warm` share.

A file is written whole or not at all, and a line that is refused is named by its number in the user's
file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from router_extproc.cli import FAILED
from router_extproc.cli.admin_port import AdminPort, batches
from router_extproc.cli.cache_shown import tell
from router_extproc.cli.output import ERR
from router_extproc.private_files import replacing

#: A file's name that means standard input or output.
STANDARD: Final = Path("-")


def export_to(path: Path, write: Callable[[BinaryIO], int], *, overwrite: bool) -> int:
    """Write a whole file or none, for its owner only: it holds questions and answers."""
    try:
        with replacing(path, overwrite=overwrite) as file:
            return write(file)
    except FileExistsError as error:
        raise typer.BadParameter(f"{path} exists: name another file, or overwrite it with --force") from error
    except OSError as error:
        raise typer.BadParameter(f"cannot write {path}: {error.strerror}") from error


def send_lines(
    file: Path,
    admin: AdminPort,
    path: str,
    doing: str,
    *,
    json: bool,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send a file's lines in batches and tell what became of them; exits 1 if any was refused."""
    lines = _lines(file)
    report: dict[str, Any] = {"stored": 0, "expired": 0, "purged": 0, "refused": []}  # Any: JSON
    with admin as port, _progress() as progress:
        task = progress.add_task(doing, total=len(lines))
        for first, batch in batches(lines, headers or {}):
            _add(report, port.send(path, batch), first)
            progress.advance(task, len(batch))
    tell(report, json=json)
    raise typer.Exit(FAILED if report["refused"] else 0)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal)


def _lines(file: Path) -> list[bytes]:
    try:
        text = sys.stdin.buffer.read() if file == STANDARD else file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"cannot read {file}: {error.strerror}") from error
    return text.splitlines()


def _add(report: dict[str, Any], part: Mapping[str, Any], first: int) -> None:  # Any: JSON
    for name in ("stored", "expired", "purged"):
        report[name] += part[name]
    report["refused"] += [{**each, "line": each["line"] + first} for each in part["refused"]]
