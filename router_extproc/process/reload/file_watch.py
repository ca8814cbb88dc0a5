"""Notices that the files of a configuration have other content.

Polls by content: an editor that writes in place, one that renames, and Kubernetes, which turns a link of a
mounted ConfigMap (`..data`) to another folder, all look alike. A change counts once it has stood still for
one interval, so that a half-written file is not taken for the whole. Every look may read the disk, and is
taken in a thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from router_extproc.process.reload.file_content import FileContent

#: Between two looks; a change is seen after at most two of them.
WATCH_S: Final = 1.0


class FileWatch:
    """Remembers what was last read, and compares; used from threads, which wait for each other."""

    def __init__(self, files: Iterable[Path], content: Callable[[Path], bytes] | None = None) -> None:
        """The files as they are now are the ones that were read; `content`: None: of the disk."""
        self._content: Final = content or FileContent().of
        self._looking: Final = threading.RLock()
        self._files: tuple[Path, ...] = ()
        self._read: tuple[bytes, ...] = ()
        self._seen: tuple[bytes, ...] = ()
        self.note(files)

    def note(self, files: Iterable[Path] | None = None) -> None:
        """The files as they are now are about to be read; `files`: they are these from now on."""
        with self._looking:
            if files is not None:
                self._files = tuple(files)
            self._read = self._seen = self._now()

    def watch_also(self, files: Iterable[Path]) -> None:
        """Watch these from now on; one that was not watched before has just been read."""
        wanted = tuple(files)
        with self._looking:
            if wanted != self._files:
                self.note(wanted)

    def has_changed(self) -> bool:
        """True once for each change that has stood still since the last look."""
        with self._looking:
            now = self._now()
            stands_still, self._seen = now == self._seen, now
            if now == self._read or not stands_still:
                return False
            self._read = now
            return True

    async def run(self, changed: Callable[[], object]) -> None:
        """Call `changed` for each change, until cancelled."""
        while True:
            await asyncio.sleep(WATCH_S)
            if await asyncio.to_thread(self.has_changed):
                changed()

    def _now(self) -> tuple[bytes, ...]:
        return tuple(self._content(file) for file in self._files)
