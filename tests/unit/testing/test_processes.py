"""Every process that a test starts and talks to is tied to the test run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import router_extproc

PACKAGE = Path(router_extproc.__file__).parent
#: Whoever starts a process in one of these ways leaves it behind when the run is killed.
UNTIED = {"Popen", "create_subprocess_exec", "create_subprocess_shell", "Process"}


def untied_starts(file: Path) -> Iterator[str]:
    text = file.read_text("utf-8")
    # Most files start nothing, and need not be parsed.
    nodes = ast.walk(ast.parse(text)) if any(name in text for name in UNTIED) else ()
    calls = (node for node in nodes if isinstance(node, ast.Call))
    for call in calls:
        starts = isinstance(call.func, ast.Attribute) and call.func.attr in UNTIED
        if starts and "tied(" not in ast.unparse(call):
            yield f"{file.name}:{call.lineno}"


def test_no_test_starts_a_process_that_a_killed_run_would_leave_behind() -> None:
    folders = (Path(__file__).parents[2], PACKAGE / "testing", PACKAGE / "demo", PACKAGE / "bench")
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert len(files) > 100
    assert [start for file in files for start in untied_starts(file)] == []
