"""Milvus Lite behind a Unix socket: opened, served, closed; never on a port.

Milvus Lite knows no passwords, so whoever reaches it reads and writes every answer: the socket is 0600 in a
folder that is 0700, and its files are made in a folder that is closed to others first.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from milvus_lite.adapter.grpc.server import start_server_in_thread
from milvus_lite.exceptions import DataDirLockedError

from router_extproc.address import UnixAddress
from router_extproc.cache.milvus.errors import FolderInUse
from router_extproc.cache.milvus.unreadable import put_aside_if_unreadable
from router_extproc.clock import SystemClock
from router_extproc.errors import CacheError, ConfigError
from router_extproc.file_access import NotPrivateError, close_to_others
from router_extproc.private_files import FILE_MODE, make_folder
from router_extproc.socket_folders import socket_folder

#: How long calls under way may take once the end was asked for.
GRACE_S: Final = 2.0
#: Calls at once. Milvus Lite does not lock its writes to a collection against each other.
_CALLS_MAX: Final = 1
_SOCKET: Final = "milvus-lite.sock"
#: Is told of a folder that was put aside, and of its name now.
ToldAside = Callable[[str, str], None]


class LiteServer:
    """One folder, open and served; made by `open_lite`."""

    def __init__(self, server: Any, database: Any) -> None:  # Any: gRPC's server, Milvus Lite's database
        self._server: Final = server
        self._database: Final = database

    def close(self) -> None:
        """Finish the calls under way, put every row on disk, give the folder free. Blocks."""
        self._server.stop(GRACE_S).wait(2 * GRACE_S)
        self._database.close()


def open_lite(folder: Path, path: Path, *, told_aside: ToldAside = lambda _folder, _now: None) -> LiteServer:
    """Open the folder, which is made if it is not there, and serve it on a socket at `path`.

    One that Milvus Lite cannot read is put aside, which `told_aside` is told, and made anew.

    Raises:
        CacheError: somebody else could change it, it may not be read, or the disk is full.
        FolderInUse: another process has it open.
    """
    try:
        close_to_others(folder)
        aside = put_aside_if_unreadable(folder, SystemClock())
        if aside is not None:
            told_aside(str(folder), str(aside))
        if make_folder(folder):
            # Somebody may have been quicker, and it is theirs.
            close_to_others(folder)
        _try_bind(path)
        # The library joins host and port with a colon, and so makes gRPC's name of a socket.
        server, database, _ = start_server_in_thread(
            str(folder), host="unix", port=path, max_workers=_CALLS_MAX
        )
        path.chmod(FILE_MODE)
    except NotPrivateError as error:
        raise CacheError("cache", str(error)) from error
    except DataDirLockedError as error:
        raise FolderInUse("cache", f"cannot open {folder}: open in another process") from error
    except CacheError:
        raise
    except OSError as error:
        raise CacheError("cache", f"cannot open {folder}: {error.strerror or error}") from error
    except Exception as error:  # a broken folder raises whatever reads it: a parser, Arrow, a dictionary
        raise CacheError("cache", f"cannot open {folder}: broken ({type(error).__name__})") from error
    return LiteServer(server, database)


def _try_bind(path: Path) -> None:
    """Fail now: the library would by then have the folder open, and would not give it free."""
    # Beside it: at `path` another process may be serving, which is found by the folder's lock.
    beside = path.with_name("probe.sock")
    beside.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.bind(str(beside))
    beside.unlink()


class LiteServers:
    """The folders that this process has open, each served once: a folder can be opened once at a time."""

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._open: Final[dict[Path, tuple[LiteServer, contextlib.ExitStack, str]]] = {}

    def start(self, folder: Path, *, told_aside: ToldAside = lambda _folder, _now: None) -> str:
        """Open and serve the folder unless it is; the URI of its socket.

        Raises:
            CacheError: see `open_lite`.
        """
        with self._lock:
            if folder not in self._open:
                self._open[folder] = _open_in_socket_folder(folder, told_aside)
            return self._open[folder][2]

    def release(self, folder: Path) -> None:
        """Close the folder, all its rows on disk, and remove its socket. Blocks."""
        with self._lock:
            opened = self._open.pop(folder, None)
        if opened is not None:
            server, sockets, _ = opened
            with sockets:
                server.close()

    def release_all(self) -> None:
        """Close every folder; for the end of the process."""
        for folder in tuple(self._open):
            self.release(folder)


def _open_in_socket_folder(
    folder: Path, told_aside: ToldAside
) -> tuple[LiteServer, contextlib.ExitStack, str]:
    stack = contextlib.ExitStack()
    try:
        path = stack.enter_context(socket_folder()) / _SOCKET
        return open_lite(folder, path, told_aside=told_aside), stack, str(UnixAddress(str(path)))
    except ConfigError as error:
        raise CacheError("cache", f"no folder for the socket of Milvus Lite: {error}") from error
    except CacheError:
        stack.close()
        raise
