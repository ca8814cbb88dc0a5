"""Which TCP ports the processes of a running product listen on, as the kernel tells (Linux)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

#: Column `st` of /proc/net/tcp. Source: include/net/tcp_states.h.
_LISTEN: Final = "0A"


def listening_ports(pid: int) -> set[int]:
    """TCP ports, of any address, on which the process or one of its descendants listens."""
    ports = _all_listening()
    sockets = {inode for each in process_tree(pid) for inode in _sockets_of(each)}
    return {ports[inode] for inode in sockets & ports.keys()}


def process_tree(pid: int) -> Iterator[int]:
    """The process and all its descendants."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            for child in (thread / "children").read_text(encoding="ascii").split():
                yield from process_tree(int(child))


def _all_listening() -> dict[str, int]:
    """Inode to port."""
    found: dict[str, int] = {}
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):  # a machine without IPv6
            rows = Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]
            fields = [row.split() for row in rows]
            found |= {row[9]: int(row[1].rpartition(":")[2], 16) for row in fields if row[3] == _LISTEN}
    return found


def _sockets_of(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                yield target.removeprefix("socket:[").removesuffix("]")
