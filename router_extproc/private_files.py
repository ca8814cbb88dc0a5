"""Files and folders that only their owner can read: what holds questions, answers or secrets is made here.

The mode is right from the first moment, whatever the umask is; nothing is readable first and private later.
A symbolic link in the place of a file is replaced or refused, never followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Literal

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
#: For processes in which a library makes the files, from threads of its own: nothing for group or others.
UMASK: Final = 0o077
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LOG: Final = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def make_folder(path: Path, mode: int = FOLDER_MODE) -> bool:
    """Make the folder and those above it that are missing, each with this mode; False: it was there.

    What exists already keeps its mode.
    """
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        with contextlib.suppress(FileExistsError):
            each.mkdir(FOLDER_MODE)
            each.chmod(mode)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return bool(missing)


def write_private(path: Path, text: str) -> None:
    """Write a whole file or none, 0600; what was there before is replaced with its mode."""
    with replacing(path) as file:
        file.write(text.encode())


@contextmanager
def replacing(path: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A file that takes the name `path`, whole and 0600, when the block ends without an error.

    Raises:
        FileExistsError: there is one of that name, and it is not to be overwritten.
    """
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, _NEW, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        if not overwrite:
            # Takes the name only if nobody has it by now; what is replaced then is our own.
            os.close(os.open(path, _NEW, FILE_MODE))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def open_private_log(path: Path, mode: Literal["ab", "wb"]) -> BinaryIO:
    """Open a log file for writing, 0600 also when it was there with another mode."""
    descriptor = os.open(path, _LOG | (os.O_APPEND if mode == "ab" else os.O_TRUNC), FILE_MODE)
    os.fchmod(descriptor, FILE_MODE)
    return os.fdopen(descriptor, mode)


def take_from_others(path: Path) -> bool:
    """Take every right of group and others away; False: they had none, or it is gone.

    A link is an error. The owner's rights and the other bits stay.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if not mode & UMASK:
            return False
        os.fchmod(descriptor, mode & ~UMASK)
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & UMASK:
            # Some file systems (CIFS, some of FUSE) say yes and keep the mode that they were mounted with.
            raise PermissionError(errno.EPERM, "this file system keeps no modes", str(path))
    finally:
        os.close(descriptor)
    return True
