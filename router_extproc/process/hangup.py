"""SIGHUP: a request to read the configuration again, or a closed terminal.

Python's own answer to the signal is to die. Here it ends a process only when the process's terminal has
really gone: nobody would be left to stop it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def hold_back() -> None:
    """Keep the signal waiting until `delivered`: a process that still imports cannot answer it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


@contextmanager
def held_back() -> Iterator[None]:
    """Keep the signal waiting inside the block; a process started in it begins with it kept waiting, too."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def delivered() -> Iterator[None]:
    """Let the signal come inside the block, where somebody answers it, and what was kept waiting first."""
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def on_hangup(*, stop: Callable[[], object], otherwise: Callable[[], object]) -> Callable[[], None]:
    """What to do on the signal: `stop` when the terminal that we had is gone, and `otherwise` if not."""
    # Whoever was started with nohup does not care for the terminal.
    has_terminal = _terminal_answers() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN

    def answer() -> None:
        if has_terminal and not _terminal_answers():
            stop()
        else:
            otherwise()

    return answer


def _terminal_answers() -> bool:
    """True while this process has a controlling terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
