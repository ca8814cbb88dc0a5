"""Warnings of addresses: ports and folders that others than Envoy and the operator can reach."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from router_extproc.config.address import is_loopback
from router_extproc.config.locate import uses_lite
from router_extproc.config.warnings.base import ConfigWarning, Subject

#: Where every user of a machine may write.
_OPEN_FOLDERS: Final = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108 - that is the point
_UNIX: Final = "unix:"


def warn_of_open_ports(subject: Subject) -> Iterator[ConfigWarning]:
    """Listeners without authentication on more than this machine."""
    config = subject.config
    tls = config.listen_tls
    is_closed = tls is not None and tls.client_ca_file is not None
    if not config.listen.startswith(_UNIX) and not is_loopback(config.listen) and not is_closed:
        problem = (
            f"{config.listen} is open beyond this machine: whoever reaches it is taken for Envoy and can read"
            " any client's answers; listen on unix:PATH or 127.0.0.1, or set listen_tls with a client_ca_file"
        )
        yield ConfigWarning("listen", problem)
    yield from _warn_of_admin(subject)
    envoy_admin = config.envoy.admin
    if envoy_admin is not None and not is_loopback(envoy_admin):
        problem = (
            f"{envoy_admin} is open beyond this machine: whoever reaches it can read Envoy's configuration"
            " and stop Envoy; listen on 127.0.0.1"
        )
        yield ConfigWarning("envoy.admin", problem)


def _warn_of_admin(subject: Subject) -> Iterator[ConfigWarning]:
    admin = subject.config.admin
    if is_loopback(admin.listen):
        return
    if admin.token is None and admin.token_file is None:
        yield ConfigWarning(
            admin.listen_path,
            f"{admin.listen} is open beyond this machine without a token: whoever reaches it can read names"
            " and counts, and nobody can manage the cache there; set admin.token, or listen on 127.0.0.1",
        )
    else:
        yield ConfigWarning(
            admin.listen_path,
            f"{admin.listen} is open beyond this machine without TLS: the token can be read on the network;"
            " listen on 127.0.0.1 and forward the port",
        )


def warn_of_open_folders(subject: Subject) -> Iterator[ConfigWarning]:
    """Sockets and cache files in folders in which anybody may put their own."""
    config = subject.config
    if config.listen.startswith(_UNIX):
        yield from _warn_of_folder("listen", Path(config.listen.removeprefix(_UNIX)))
    milvus = config.semantic_cache.milvus
    if milvus is not None and milvus.connection.uri is not None and uses_lite(milvus.connection):
        short, full = "semantic_cache.milvus.uri", "semantic_cache.milvus.connection.uri"
        path = short if subject.is_written(short) else full
        yield from _warn_of_folder(path, Path(milvus.connection.uri))


def _warn_of_folder(path: str, file: Path) -> Iterator[ConfigWarning]:
    if _is_open(file.parent):
        problem = (
            f"every user of this machine can write to {file.parent}, and create this file first; choose a"
            " folder that only the sidecar writes to (/run/router-extproc, /var/lib/router-extproc)"
        )
        yield ConfigWarning(path, problem)


def _is_open(folder: Path) -> bool:
    if folder in _OPEN_FOLDERS:
        return True
    try:
        return bool(folder.stat().st_mode & stat.S_IWOTH)
    except (OSError, ValueError):
        return False


def warn_of_worker_addresses(subject: Subject) -> Iterator[ConfigWarning]:
    """Workers that Envoy never asks, or addresses at which there is none."""
    config = subject.config
    given = len(config.envoy.server)
    if given and given != config.workers:
        problem = f"lists {given} of {config.workers} workers: write one address for each"
        yield ConfigWarning("envoy.server", problem)
