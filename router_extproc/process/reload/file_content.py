"""What a watched file holds, as a digest; a file that stands as it did is not read again.

A file is opened at each look, and links are followed: of a file on a server, the kernel asks for its present
state when it is opened. Another time of change, size or inode means that it is read.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from router_extproc.clock import Clock, SystemClock

#: Of each file as much is compared.
FILE_BYTES_MAX: Final = 16 * 1024 * 1024
#: Some file systems (FAT) count time in steps of two seconds. Within a step a file may change and keep its
#: times, so a file is read again until it has looked the same for longer, by our clock and not by theirs.
SETTLED_S: Final = 3.0
#: And now and then in any case: there are file systems that keep no times.
ANYWAY_S: Final = 60.0

#: By what a change shows without reading.
Standing: TypeAlias = tuple[int, ...]


def standing_of(opened: BinaryIO) -> Standing:
    """How the file stands."""
    # The last one nobody can set back, as copies and archives do it with the other.
    found = os.fstat(opened.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def digest_of(opened: BinaryIO) -> bytes:
    """A digest of the content."""
    return hashlib.sha256(opened.read(FILE_BYTES_MAX)).digest()


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was last read, with monotonic times."""

    digest: bytes
    standing: Standing
    #: When it was first seen to stand so.
    since_s: float
    read_s: float

    def holds(self, standing: Standing, now_s: float) -> bool:
        settled = self.read_s - self.since_s >= SETTLED_S
        return settled and standing == self.standing and now_s - self.read_s < ANYWAY_S


class FileContent:
    """Reads watched files, and remembers what they held."""

    def __init__(
        self,
        clock: Clock | None = None,
        standing: Callable[[BinaryIO], Standing] = standing_of,
        digest: Callable[[BinaryIO], bytes] = digest_of,
    ) -> None:
        """`clock`: None: the system's."""
        self._clock: Final = clock or SystemClock()
        self._standing: Final = standing
        self._digest: Final = digest
        self._read: Final[dict[Path, _Read]] = {}

    def of(self, file: Path) -> bytes:
        """A digest of the file's content; of one that cannot be read, the reason."""
        try:
            if not stat.S_ISREG(file.stat().st_mode):
                # Opening a pipe would wait for a writer.
                return b"no regular file"
            with file.open("rb") as opened:
                return self._content(file, opened)
        except OSError as error:
            return f"unreadable: {error.errno}".encode()

    def _content(self, file: Path, opened: BinaryIO) -> bytes:
        standing, now_s, before = self._standing(opened), self._clock.monotonic_s(), self._read.get(file)
        if before is not None and before.holds(standing, now_s):
            return before.digest
        since_s = before.since_s if before is not None and before.standing == standing else now_s
        read = self._read[file] = _Read(self._digest(opened), standing, since_s, now_s)
        return read.digest
