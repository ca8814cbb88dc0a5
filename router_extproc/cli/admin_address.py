"""The address of an admin port, as `--admin` takes it: HOST:PORT, or the URL that a browser has."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from router_extproc.errors import RouterError

#: A name or an IPv4 address, or an IPv6 address in brackets.
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_PORT_MAX: Final = 65535


class AddressError(RouterError):
    """An address that no request can be sent to; does not repeat it, for it may hold a password."""


def admin_url(address: str) -> str:
    """The URL that paths are put behind: scheme, host and port.

    Raises:
        AddressError: it is neither HOST:PORT nor http(s)://HOST[:PORT].
    """
    given = address.strip()
    parts = _split(given if "://" in given else f"http://{given}")
    if parts is None or ("://" not in given and not parts[1].rpartition("]")[2].count(":")):
        raise AddressError("--admin: write HOST:PORT or http://HOST:PORT, for example 127.0.0.1:9190")
    scheme, place = parts
    return f"{scheme}://{place}"


def _split(url: str) -> tuple[str, str] | None:
    """Scheme, and host with port; None: it has not the form, or has more than that."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.netloc if port is None else parts.netloc.rpartition(":")[0]
    more = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in {"http", "https"} or more or not _HOST.fullmatch(host):
        return None
    if port is not None and not 0 < port <= _PORT_MAX:
        return None
    return parts.scheme, host if port is None else f"{host}:{port}"
