"""Names in a Host header, and where the gRPC server listens by default."""

from __future__ import annotations

import os
import re
from ipaddress import IPv6Address
from pathlib import Path
from typing import Final

from router_extproc.address import PORT_MAX, WORKER, UnixAddress, ip_of

#: A name of letters, digits and hyphens, or an IPv6 address in brackets; then a port.
_HOST: Final = re.compile(
    r"(?P<host>[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?", re.ASCII
)


def host_name(text: str) -> tuple[str, int | None] | None:
    """Host in lower case and port (None: not given) of a Host header; None: not of that form.

    An IPv6 address loses its brackets and gets its usual spelling.
    """
    match = _HOST.fullmatch(text.lower())
    if match is None:
        return None
    host, port = match["host"], match["port"]
    if host.startswith("["):
        address = ip_of(host.strip("[]"))
        if not isinstance(address, IPv6Address):
            return None
        host = str(address)
    if port is not None and int(port) > PORT_MAX:
        return None
    return host, None if port is None else int(port)


def default_listen() -> str:
    """A socket for each worker, in a folder that only this user can write to.

    Whoever connects to the gRPC server may ask as any client, and to a port of loopback every local user and
    every container of a pod may connect.
    """
    folder = Path("/run") if os.geteuid() == 0 else Path.home() / ".local" / "state"
    return str(UnixAddress(f"{folder}/router-extproc/{WORKER}.sock"))
