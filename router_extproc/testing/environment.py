"""A virtual environment with the wheel in it, used as its user does: by commands, from a folder of their own.

Nothing leads from there to the repository, so that what works has been installed.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from router_extproc.testing.processes import start_process

#: For the slowest command: it builds the models, on a machine that does much else.
COMMAND_S: Final = 300.0
STOP_S: Final = 30.0
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
#: Prefixes of variables that would lead to the repository, or change what is started.
_OURS: Final = ("PYTHON", "VIRTUAL_ENV", "ROUTER_EXTPROC", "POOLS", "COV_", "PYTEST")
_LOG: Final = "output.log"


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment, with the folder that its commands run in."""

    root: Path
    #: $ROUTER_EXTPROC_HOME: where models are built.
    home: Path
    folder: Path

    def within(self, folder: Path) -> Environment:
        """The same one, in another folder."""
        return replace(self, folder=folder)

    def run(
        self, *words: str, more: Mapping[str, str] = NOTHING, within_s: float = COMMAND_S
    ) -> subprocess.CompletedProcess[str]:
        """Run one command line; its first word is a script of the environment. `more`: variables."""
        return subprocess.run(  # noqa: S603 - our own words, no shell
            self._command(words),
            cwd=self.folder,
            env=self._variables(more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )

    @contextmanager
    def running(self, *words: str, more: Mapping[str, str] = NOTHING) -> Iterator[subprocess.Popen[bytes]]:
        """A command that lasts; it is ended when the block is left. See `output`."""
        with (self.folder / _LOG).open("wb") as log:
            process = start_process(
                self._command(words),
                at_end=signal.SIGTERM,
                cwd=self.folder,
                env=self._variables(more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            _end(process)

    def output(self) -> str:
        """What the command that lasts has said so far."""
        return (self.folder / _LOG).read_text(encoding="utf-8", errors="replace")

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [str(self.root / "bin" / words[0]), *words[1:]]

    def _variables(self, more: Mapping[str, str]) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        path = os.pathsep.join((str(self.root / "bin"), os.defpath))
        return {**own, "PATH": path, "ROUTER_EXTPROC_HOME": str(self.home), **more}


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
