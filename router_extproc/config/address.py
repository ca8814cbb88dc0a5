"""The spelling of TCP addresses in the configuration (HOST:PORT), and where the gRPC server is by default.

Nothing is resolved or bound here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

PORT_MAX: Final = 65535


def host_port(address: str) -> tuple[str, int] | None:
    """Host and port of `HOST:PORT` or `[IPV6]:PORT`; None: not of that form."""
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > PORT_MAX:
        return None
    if host.startswith("[") != host.endswith("]") or (":" in host and not host.startswith("[")):
        return None
    return host.strip("[]"), int(port)


def default_listen() -> str:
    """A socket for each worker, in a folder that only this user can write to.

    Whoever connects to the gRPC server may ask as any client, and to a port of loopback every local user and
    every container of a pod may connect.
    """
    folder = Path("/run") if os.geteuid() == 0 else Path.home() / ".local" / "state"
    return f"unix:{folder}/router-extproc/{{worker}}.sock"
