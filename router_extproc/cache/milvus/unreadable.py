"""Moves a folder of Milvus Lite that cannot be read aside, and begins a new one.

Only a broken folder is moved. One that another process has open, or that we may not read or write, is left
where it is: its owner, or an operator, can still repair it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from milvus_lite.db import COLLECTIONS_DIRNAME, DATABASES_DIRNAME, LOCK_FILENAME, SCHEMA_FILENAME, MilvusLite
from milvus_lite.exceptions import DataDirLockedError

from router_extproc.cache.milvus.errors import FolderInUse
from router_extproc.clock import Clock

#: Behind the folder's own name, in front of the second in which it was put aside.
SUFFIX: Final = ".unreadable-"
#: Folders that are kept for a look at what happened. Each may be as large as the cache was, and whatever
#: broke one may break the next one: without a bound, a bad disk would be filled by restarts.
ASIDE_MAX: Final = 3
#: What the system refuses says nothing of the files.
_SYSTEM_REFUSES: Final = frozenset(
    {
        errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE,
        errno.ENFILE, errno.ENOMEM, errno.EIO,
    }
)  # fmt: skip


def put_aside_if_unreadable(folder: Path, clock: Clock) -> Path | None:
    """Rename the folder if Milvus Lite cannot read it; where it is now, or None: it stayed.

    Blocks as long as reading the folder takes. What was left by a process that died while it made a
    collection is removed: it never held a row.

    Raises:
        FolderInUse: another process has it open.
        OSError: it may not be read or written, it is no folder, or the disk is full.
    """
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise NotADirectoryError(
            errno.ENOTDIR, "a file stands where the folder of Milvus Lite is to be", str(folder)
        )
    _remove_half_made(folder)
    if _is_readable(folder):
        return None
    with _lock(folder):
        aside = _free_name(folder, clock)
        folder.rename(aside)
    _forget_oldest(folder)
    return aside


def _is_readable(folder: Path) -> bool:
    """Open it as the server will, with all that is in it."""
    try:
        database = MilvusLite(str(folder))
    except DataDirLockedError as error:
        raise FolderInUse("cache", f"{folder} is open in another process") from error
    try:
        for name in database.list_collections():
            database.get_collection(name).load()
    except MemoryError:
        raise
    except OSError as error:
        if error.errno in _SYSTEM_REFUSES:
            raise
        return False
    except Exception:  # noqa: BLE001 - broken files raise whatever their readers raise
        return False
    finally:
        # What cannot be read cannot always be closed, either.
        with contextlib.suppress(Exception):
            database.close()
    return True


def _remove_half_made(folder: Path) -> None:
    """Remove collections without a schema: Milvus Lite lists none of them, and can make none of the name."""
    with _lock(folder):
        for collection in _collections(folder):
            if not (collection / SCHEMA_FILENAME).exists():
                shutil.rmtree(collection)


def _collections(folder: Path) -> Iterator[Path]:
    for pattern in (f"{COLLECTIONS_DIRNAME}/*", f"{DATABASES_DIRNAME}/*/{COLLECTIONS_DIRNAME}/*"):
        yield from (path for path in folder.glob(pattern) if path.is_dir())


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Nobody can open the folder inside the block: Milvus Lite takes the same lock."""
    file = os.open(folder / LOCK_FILENAME, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse("cache", f"{folder} is open in another process") from error
        yield
    finally:
        os.close(file)


def _free_name(folder: Path, clock: Clock) -> Path:
    # Numbers only grow, whatever the clock does: they say which one is the newest.
    newest = max((number for number, _ in _aside(folder)), default=0)
    return folder.with_name(f"{folder.name}{SUFFIX}{max(newest + 1, int(clock.wall_s()))}")


def _forget_oldest(folder: Path) -> None:
    for _, oldest in sorted(_aside(folder))[:-ASIDE_MAX]:
        shutil.rmtree(oldest, ignore_errors=True)


def _aside(folder: Path) -> Iterator[tuple[int, Path]]:
    for path in folder.parent.glob(f"{glob.escape(folder.name)}{SUFFIX}*"):
        number = path.name.removeprefix(f"{folder.name}{SUFFIX}")
        if number.isascii() and number.isdigit():
            yield int(number), path
