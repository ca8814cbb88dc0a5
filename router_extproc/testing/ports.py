"""Ports of the loopback interface for what a test starts.

A server binds its port some seconds after it was chosen. Until then the kernel would give the same port to
another test, which runs in a process of its own: so all processes of a user write what they chose into one
file.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Container
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TextIO

HOST: Final = "127.0.0.1"
#: Whoever has not bound a port by then does not want it any more: tests wait less for their servers.
KEPT_S: Final = 300.0
_CHOSEN: Final = Path(tempfile.gettempdir()) / f"router-extproc-ports-{os.getuid()}.json"


def free_port() -> int:
    """A port that nobody has right now, and that nobody else chooses within KEPT_S."""
    (port,) = free_ports(1)
    return port


def free_ports(count: int, *, chosen: Path = _CHOSEN, now_s: Callable[[], float] = time.time) -> list[int]:
    """As `free_port`, all different.

    chosen: the file of the processes that must not get the same; now_s: seconds since the epoch.
    """
    with chosen.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kept = {port: at_s for port, at_s in _read(file).items() if now_s() - at_s < KEPT_S}
        ports = _unused(count, kept.keys())
        file.truncate(0)
        json.dump(kept | dict.fromkeys(map(str, ports), now_s()), file)
    return ports


def _read(file: TextIO) -> dict[str, float]:
    """Port to when it was chosen."""
    file.seek(0)
    try:
        found: dict[str, float] = json.load(file)
    except ValueError:  # new, or its writer was killed
        return {}
    return found


def _unused(count: int, kept: Container[str]) -> list[int]:
    with ExitStack() as stack:
        ports: list[int] = []
        while len(ports) < count:
            # Left open until all are found: the next one is another port.
            probe = stack.enter_context(socket.socket())
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
            ports += [] if str(port) in kept else [port]
        return ports
