"""The spelling of TCP addresses in the configuration: HOST:PORT.

It does not resolve or bind them.
"""

from __future__ import annotations

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
