"""Processes that end with the one that started them, however it ends (Linux).

This file is also a small program that goes in front of a command: it asks the kernel for a signal at its
parent's death, and then becomes the command. What was asked for outlives exec. Nothing of it runs in a fork
of the parent: there, the threads of gRPC would be gone and their locks held.

Source: prctl(2), PR_SET_PDEATHSIG.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
#: As a shell says it of a command that it does not find.
_NOT_FOUND = 127
_SIGKILL = 9


def tied(command: Sequence[str | Path], *, at_end: int = _SIGKILL) -> list[str]:
    """The command, to be started by this process, with the signal `at_end` sent to it when this process ends.

    To the kernel the parent is the thread that starts it: when only that thread ends, the signal comes, too.
    On other systems than Linux the command is left as it is.
    """
    words = [str(word) for word in command]
    if sys.platform != "linux":
        return words
    # Isolated and without site-packages: it is to be through in some 20 ms.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(at_end)), *words]


def _become(parent: int, at_end: int, command: list[str]) -> int:
    """Turn this process into the command; the exit code when that is not possible or not wanted any more."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, at_end)
    if os.getppid() != parent:  # it ended before the kernel was asked
        return 0
    try:
        os.execvp(command[0], command)  # noqa: S606 - there is no shell
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    return _NOT_FOUND


if __name__ == "__main__":
    sys.exit(_become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
