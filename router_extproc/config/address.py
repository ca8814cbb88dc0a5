"""The spelling of TCP addresses and of names in a Host header, and where the gRPC server is by default.

Nothing is resolved or bound here.
"""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

PORT_MAX: Final = 65535
#: A name of letters, digits and hyphens, or an IPv6 address in brackets; then a port.
_HOST: Final = re.compile(
    r"(?P<host>[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?", re.ASCII
)


def host_port(address: str) -> tuple[str, int] | None:
    """Host and port of `HOST:PORT` or `[IPV6]:PORT`; None: not of that form."""
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > PORT_MAX:
        return None
    if host.startswith("[") != host.endswith("]") or (":" in host and not host.startswith("[")):
        return None
    return host.strip("[]"), int(port)


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


def ip_of(host: str) -> IPv4Address | IPv6Address | None:
    """The IP address that this text spells; None: it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_loopback_host(host: str) -> bool:
    """True for addresses of this machine's own loopback interface, and for the name localhost."""
    address = ip_of(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def default_listen() -> str:
    """A socket for each worker, in a folder that only this user can write to.

    Whoever connects to the gRPC server may ask as any client, and to a port of loopback every local user and
    every container of a pod may connect.
    """
    folder = Path("/run") if os.geteuid() == 0 else Path.home() / ".local" / "state"
    return f"unix:{folder}/router-extproc/{{worker}}.sock"


def is_loopback(address: str) -> bool:
    """True for a HOST:PORT that only this machine reaches, and for what is no address at all."""
    found = host_port(address)
    return found is None or is_loopback_host(found[0])
