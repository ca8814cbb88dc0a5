"""Folders for the sockets of one run: 0700, in the temporary folder, gone with the run.

A run that is killed cannot remove its folder, so the next one does. A folder is removed only if it has our
prefix, our owner and our lock file, nobody holds the lock, and nobody answers at a socket in it. The lock is
the kernel's (flock(2)): it ends with the process, so no process id can be mistaken for another's. Files are
removed through the folder's own descriptor, so what somebody swaps under the name meanwhile is never touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from router_extproc.errors import ConfigError
from router_extproc.private_files import FILE_MODE, FOLDER_MODE

PREFIX: Final = "router-extproc-"
LOCK: Final = "lock"
#: sockaddr_un.sun_path holds 108 bytes with its final zero (unix(7)); a slash and a name take up to 20.
_PATH_BYTES_MAX: Final = 107 - 20
#: The longest that a living server may take to accept.
_PROBE_S: Final = 1.0
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def socket_folder(base: Path | None = None) -> Iterator[Path]:
    """A folder for sockets inside the block; those that killed runs left behind are removed first.

    base: None: the temporary folder of this machine, or what TMPDIR names.

    Raises:
        ConfigError: no temporary folder can be written, or its name is too long for sockets.
    """
    folder = _make(base)
    descriptor = os.open(folder, _FOLDER)
    try:
        lock = _lock_new(descriptor)
        try:
            yield folder
        finally:
            _remove(folder, descriptor)
            os.close(lock)
    finally:
        os.close(descriptor)


def _make(base: Path | None) -> Path:
    try:
        base = base or Path(tempfile.gettempdir())
        remove_left_behind(base)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    except OSError as error:
        where = base or "the temporary folder"
        problem = (
            f"cannot make a folder for sockets in {where}: {error.strerror}; name one that can be written"
        )
        raise ConfigError("TMPDIR", problem) from error
    if len(os.fsencode(folder)) > _PATH_BYTES_MAX:
        folder.rmdir()
        raise ConfigError(
            "TMPDIR", f"{base} is too long a name for a folder of sockets: choose a shorter one"
        )
    return folder


def remove_left_behind(base: Path) -> tuple[Path, ...]:
    """Remove the folders of runs that are no more; which they were."""
    with contextlib.suppress(OSError):
        candidates = sorted(each for each in base.iterdir() if each.name.startswith(PREFIX))
        return tuple(each for each in candidates if _remove_if_left_behind(each))
    return ()


def _lock_new(folder: int) -> int:
    """The lock of a new folder: it has its name only when it is held, so no other run finds it free."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(f"{LOCK}.new", flags, FILE_MODE, dir_fd=folder)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.rename(f"{LOCK}.new", LOCK, src_dir_fd=folder, dst_dir_fd=folder)
    return lock


def _remove_if_left_behind(path: Path) -> bool:
    with contextlib.ExitStack() as stack:
        try:
            folder = os.open(path, _FOLDER)
            stack.callback(os.close, folder)
            if not _is_ours(os.fstat(folder)):
                return False
            lock = os.open(LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            stack.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if any(_somebody_answers(each) for each in path.iterdir()):
                return False
            _remove(path, folder)
        except OSError:  # somebody else's, held, or on its way out
            return False
    return not path.exists()


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == FOLDER_MODE


def _somebody_answers(path: Path) -> bool:
    """True while a process listens on this socket: a worker that still drains after its supervisor's end."""
    if not stat.S_ISSOCK(path.lstat().st_mode):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True  # too busy to accept
    return True


def _remove(path: Path, folder: int) -> None:
    """Remove the files in the folder, the lock last, and the folder if it is empty then."""
    for name in sorted(os.listdir(folder), key=LOCK.__eq__):
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)
    with contextlib.suppress(OSError):
        path.rmdir()
