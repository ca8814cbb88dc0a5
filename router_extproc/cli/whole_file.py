"""Files that commands write for others to read: whole, or not at all when the command is killed.

What holds questions or secrets is written by `private_files.replacing` instead, for its owner only.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: Before the umask.
_MODE: Final = 0o666


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the name `path` when the block ends without an error; until then the old one stays.

    It keeps the mode of the old one, and a link stays a link. What is no regular file, such as
    /dev/stdout, is written in place.
    """
    if path.exists() and not path.is_file():
        # By its own name: what /dev/stdout resolves to for a pipe is no path.
        with path.open("wb") as stream:
            yield stream
        return
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, _NEW, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if target.exists():
                os.fchmod(descriptor, stat.S_IMODE(target.stat().st_mode))
            yield file
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
