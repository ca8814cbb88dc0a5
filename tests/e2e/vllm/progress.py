"""Shows that something long is still going on, and for how long.

It decides nothing. The rule it keeps: nothing runs without a limit, and a log of a machine gets a
line now and then, not one a second.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from router_extproc.testing.processes import start_process

Say: TypeAlias = Callable[[str], None]

#: Status of a command that was stopped at its limit, as coreutils' timeout has it.
TIMED_OUT: Final = 124
#: Between two lines where no person watches.
QUIET_S: Final = 15.0
LOOK_EVERY_S: Final = 0.5
#: For a process group to end by itself after SIGTERM.
STOP_S: Final = 20.0


def say(text: str) -> None:
    """Print one line now."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Waiting:
    """Shows the seconds since it was made: on one line of a terminal, else on a new one now and then."""

    def __init__(self, what: str, say: Say) -> None:
        self._what, self._say = what, say
        self._begun_s = self._said_s = time.monotonic()
        self._terminal = sys.stdout.isatty()
        say(what)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._begun_s

    def show(self, detail: str) -> None:
        """Show how far it is."""
        if self._terminal:
            sys.stdout.write(f"\r  {self.seconds:.0f} s  {detail[:90]}\x1b[K")
            sys.stdout.flush()
        elif time.monotonic() - self._said_s >= QUIET_S:
            self._said_s = time.monotonic()
            self._say(f"  {self.seconds:.0f} s  {detail[:90]}")

    def done(self, result: str) -> None:
        """End with a line that stays."""
        if self._terminal:
            sys.stdout.write("\r\x1b[K")
        self._say(f"  {result} after {self.seconds:.0f} s")


def run_with_progress(what: str, command: Sequence[str], log: Path, say: Say, *, limit_s: float) -> int:
    """Run a command, its output at the end of `log`; its exit status, or TIMED_OUT."""
    waiting = Waiting(what, say)
    process = start(command, log)
    try:
        while process.poll() is None and waiting.seconds < limit_s:
            waiting.show(last_line(log))
            time.sleep(LOOK_EVERY_S)
        code = TIMED_OUT if process.poll() is None else process.returncode
    finally:
        stop_group(process)
    waiting.done("done" if code == 0 else "failed")
    return code


def start(
    command: Sequence[str], log: Path, environment: Mapping[str, str] = MappingProxyType({})
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, its output at the end of `log`.

    It is asked to end when this process ends, however that happens.
    """
    with log.open("ab") as output:
        return start_process(
            command,
            at_end=signal.SIGTERM,
            env=os.environ | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def last_line(log: Path) -> str:
    """What a program said last."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8000))
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that has its own session, and every child that it left."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(STOP_S)
