"""The spelling of TCP addresses in the configuration: HOST:PORT.

It does not resolve or bind them.
"""

from __future__ import annotations

from ipaddress import ip_address
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


def is_loopback(address: str) -> bool:
    """True for a HOST:PORT that only this machine reaches, and for what is no address at all."""
    found = host_port(address)
    if found is None or found[0] == "localhost":
        return True
    try:
        return ip_address(found[0]).is_loopback
    except ValueError:
        return False
