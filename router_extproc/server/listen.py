"""The address of one worker, checked before gRPC binds it.

It does not bind for good (gRPC does). The rule it keeps: an address that cannot be had is a
ConfigError that says why and what to write instead; a socket that a dead process left is removed.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from router_extproc.errors import ConfigError
from router_extproc.private_files import make_folder

_UNIX: Final = "unix:"
#: The longest that a living server may take to accept.
_PROBE_S: Final = 1.0
#: Of a folder that is made here: a socket is for the user who serves, and for their Envoy.
_PRIVATE: Final = 0o700
_ROOT: Final = 0


def address_of(listen: str, worker: int) -> str:
    """`listen` for one worker: its own socket by `{worker}`, or its own port by counting up."""
    if listen.startswith(_UNIX):
        return listen.replace("{worker}", str(worker))
    host, _, port = listen.rpartition(":")
    return f"{host}:{int(port) + worker if int(port) else 0}"


@dataclass(frozen=True, slots=True)
class SocketModes:
    """Modes of a socket and of the folders that are made for it; the umask changes neither."""

    socket: int = 0o600
    folder: int = 0o700


OWNER_ONLY: Final = SocketModes()
#: By `socket_access`: whoever connects writes to the socket and passes through its folder.
SOCKET_MODES: Final[Mapping[str, SocketModes]] = {
    "owner": OWNER_ONLY,
    "group": SocketModes(0o660, 0o750),
    "everyone": SocketModes(0o666, 0o755),
}


def claim(address: str, modes: SocketModes = OWNER_ONLY, *, owners: Collection[int] | None = None) -> None:
    """Make sure that gRPC can bind the address.

    owners: users whose folders are trusted with a socket; None: this one and root.

    Raises:
        ConfigError: someone else has it, or it cannot be bound here.
    """
    if address.startswith(_UNIX):
        _claim_socket(Path(address.removeprefix(_UNIX)), modes, owners or {os.geteuid(), _ROOT})
    else:
        _claim_port(*_host_port(address))


def open_to(address: str, modes: SocketModes) -> None:
    """Give a socket that was bound its mode; a port has none.

    Raises:
        ConfigError: its file system does not let us.
    """
    if not address.startswith(_UNIX):
        return
    path = Path(address.removeprefix(_UNIX))
    try:
        path.chmod(modes.socket)
    except OSError as error:
        raise ConfigError("socket_access", f"cannot set the mode of {path}: {error.strerror}") from error


def _claim_socket(path: Path, modes: SocketModes, owners: Collection[int]) -> None:
    try:
        make_folder(path.parent, modes.folder)
        _check_owner(path.parent, owners)
        if not path.exists():
            _try_bind(socket.AF_UNIX, str(path))
            path.unlink()
        elif not stat.S_ISSOCK(path.stat().st_mode):
            raise ConfigError("listen", f"{path} exists and is not a socket: choose another path")
        elif _somebody_answers(path):
            raise ConfigError(
                "listen", f"{path} is used by a running server: stop it, or choose another path"
            )
        else:
            path.unlink()
    except OSError as error:
        raise ConfigError(
            "listen",
            f"cannot make a socket at {path}: {os.strerror(error.errno or 0)}; "
            "set listen to unix:PATH in a folder that you own",
        ) from error


def _check_owner(folder: Path, owners: Collection[int]) -> None:
    """Another owner could put a socket of their own there, and would be asked in our place."""
    if folder.stat().st_uid not in owners:
        raise ConfigError("listen", f"{folder} belongs to another user: choose a folder that you own")


def _somebody_answers(path: Path) -> bool:
    """False when the socket's process is gone (connection refused): the file is stale."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        except (TimeoutError, BlockingIOError):
            return True  # too busy to accept
    return True


def _claim_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        _try_bind(family, (host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem = f"port {port} on {host} is in use; set listen to another HOST:PORT, or to unix:PATH"
        else:
            problem = f"cannot listen on {host}:{port}: {error.strerror}"
        raise ConfigError("listen", problem) from error


def _try_bind(family: socket.AddressFamily, address: str | tuple[str, int]) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def _host_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
