"""How tests start the processes that they talk to, so that none is left when a test run is killed.

A server that was started in another way (`subprocess.Popen`) lives on when pytest gets a signal:
tests/unit/testing/test_processes.py refuses that. A command that ends by itself may be run as ever.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from router_extproc.process.tied import tied

#: To the kernel the parent is a thread: this one lives as long as the run, whoever asks for a process.
_STARTER: Final = ThreadPoolExecutor(1, thread_name_prefix="starter")


def start_process(
    command: Sequence[str | Path],
    *,
    at_end: signal.Signals = signal.SIGKILL,
    **options: Any,  # Any: those of Popen
) -> subprocess.Popen[bytes]:
    """A running process, which gets the signal `at_end` when this one ends, whatever state both are in."""
    return _STARTER.submit(_start, command, at_end, options).result()


def _start(
    command: Sequence[str | Path],
    at_end: signal.Signals,
    options: Mapping[str, Any],  # Any: those of Popen
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(tied(command, at_end=at_end), **options)  # noqa: S603 - our own words, no shell


async def start_process_async(*command: str | Path, **options: Any) -> Process:  # Any: those of asyncio
    """The same, for a test that awaits its end."""
    return await asyncio.create_subprocess_exec(*tied(command), **options)
