"""Addresses as a configuration writes them: `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`.

The one place that takes them apart and puts them together. Nothing is resolved, bound or connected here.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, TypeAlias

PORT_MAX: Final = 65535
#: In a socket's path: the worker's number.
WORKER: Final = "{worker}"
_UNIX: Final = "unix:"
#: A server that listens on one of these is reached at every address of its machine.
_ALL_INTERFACES: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host and a port."""

    #: A name or an IP address; IPv6 without brackets.
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """True when only this machine reaches it."""
        return is_loopback_host(self.host)

    @property
    def is_on_all_interfaces(self) -> bool:
        """True when who listens here listens on every address of the machine."""
        return self.host in _ALL_INTERFACES


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A Unix socket."""

    path: str

    def __str__(self) -> str:
        return f"{_UNIX}{self.path}"


Address: TypeAlias = TcpAddress | UnixAddress


def parse_address(text: str) -> Address | None:
    """The address; None: not of any of the three forms."""
    return UnixAddress(text.removeprefix(_UNIX)) if is_unix(text) else parse_tcp(text)


def parse_tcp(text: str) -> TcpAddress | None:
    """Host and port of `HOST:PORT` or `[IPV6]:PORT`; None: not of that form."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > PORT_MAX:
        return None
    if host.startswith("[") != host.endswith("]") or (":" in host and not host.startswith("[")):
        return None
    return TcpAddress(host.strip("[]"), int(port))


def read_tcp(text: str) -> TcpAddress:
    """The same, of an address that the configuration's checks have passed.

    Raises:
        ValueError: it is of another form all the same.
    """
    address = parse_tcp(text)
    if address is None:
        raise ValueError(f"not HOST:PORT: {text!r}")
    return address


def is_unix(text: str) -> bool:
    """True for `unix:PATH`."""
    return text.startswith(_UNIX)


def worker_address(listen: str, worker: int) -> str:
    """Where one worker listens: its own socket by `{worker}`, or its own port, counted up from `listen`'s."""
    if is_unix(listen):
        return listen.replace(WORKER, str(worker))
    first = read_tcp(listen)
    return str(TcpAddress(first.host, first.port + worker if first.port else 0))


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
