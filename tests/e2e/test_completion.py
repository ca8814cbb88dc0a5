"""Completion in a shell: what TAB asks the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("router-extproc")


def run(*args: str, **environ: str) -> str:
    """What the installed command prints."""
    done = subprocess.run(  # noqa: S603 - our own words
        [COMMAND, *args],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def complete(line: str) -> list[str]:
    """What bash is offered at the end of the line."""
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return run(_ROUTER_EXTPROC_COMPLETE="complete_bash", **asked).split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("router-extproc ch", ["check"]),
        ("router-extproc check --s", ["--strict", "--schema"]),
        ("router-extproc cache pu", ["purge"]),
        ("router-extproc nothing-like-it", []),
    ],
)
def test_commands_and_options_are_offered(line: str, offered: list[str]) -> None:
    assert complete(line) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_a_script_that_asks_the_command(shell: str) -> None:
    script = run(_ROUTER_EXTPROC_COMPLETE=f"source_{shell}")
    assert f"_ROUTER_EXTPROC_COMPLETE=complete_{shell}" in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_after_its_script_was_read(tmp_path: Path) -> None:
    """As a user would: show the script, read it, press TAB."""
    script = (
        'eval "$(_ROUTER_EXTPROC_COMPLETE=source_bash router-extproc)";'
        "COMP_WORDS=(router-extproc exp); COMP_CWORD=1; _router_extproc_completion router-extproc;"
        'echo "${COMPREPLY[@]}"'
    )
    path = f"{COMMAND.parent}:{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603 - our own words
        ["bash", "-c", script], env={"PATH": path, "HOME": str(tmp_path)},  # noqa: S607 - whichever bash is there
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["explain"]


def test_completion_is_installed_for_the_shell_that_asks(tmp_path: Path) -> None:
    """Nothing outside the home folder is written."""
    command = f'"{COMMAND}" --install-completion; echo done'
    done = subprocess.run(  # noqa: S603 - our own words
        ["bash", "-c", command], env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},  # noqa: S607 - likewise
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "bash completion installed" in done.stdout
    assert "router-extproc" in (tmp_path / ".bashrc").read_text()


def test_help_and_command_names_import_no_command() -> None:
    """Every TAB would wait for it."""
    listed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "router_extproc", "--help"],
        capture_output=True, text=True, timeout=60, check=True,
    ).stderr  # fmt: skip
    imported = {line.rpartition("|")[2].strip() for line in listed.splitlines()}
    assert "router_extproc.cli" in imported
    assert not imported & {"numpy", "pydantic", "grpc", "onnxruntime", "yaml", "router_extproc.cli.check"}
