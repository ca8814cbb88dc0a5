"""The file that shared values are kept in over a restart: private, written whole, read with care.

What is written is taken at one moment, encoded in turns with the other work of the event loop, and written by
one thread, in the order in which it was taken.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import orjson

from router_extproc.llm.answer import JsonValue
from router_extproc.private_files import make_folder, replacing
from router_extproc.process.json_pieces import encode_in_turns
from router_extproc.process.sharing import SharedValue
from router_extproc.telemetry.logging import get_logger

FORMAT: Final = "router-extproc state 1"
FILE: Final = "shared.json"
#: Between two writes.
KEEP_S: Final = 10.0
#: A larger file is none of ours: evidence and savings are bounded.
STATE_BYTES_MAX: Final = 64 * 1024 * 1024
#: Said in place of a parser's message, which may repeat what it read.
_NO_STATE: Final = "not a state of this version"


class KeptState:
    """The state folder of one sidecar; used by the keeper alone."""

    def __init__(
        self,
        folder: Path,
        values: Sequence[SharedValue],
        put: Callable[[Path, Sequence[bytes]], None] | None = None,
    ) -> None:
        """`put` replaces a file by this text, from a thread; None: in the folder, which is made."""
        self._folder: Final = folder
        self._file: Final = folder / FILE
        self._values: Final = {value.name: value for value in values}
        self._put: Final = put or _put
        self._taking: Final = asyncio.Lock()
        #: One thread: a write whose task was cancelled meanwhile ends before the next one begins.
        self._writer: Final = ThreadPoolExecutor(1, "kept-state")
        #: Digest of what the file holds.
        self._written = b""
        self._failed = False

    def read(self) -> None:
        """Take back what was kept.

        A file that cannot be read is put aside, and every value begins anew. So is one of which some values
        cannot be read; only these begin anew.
        """
        try:
            document = self._document()
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            self._put_aside(_reason(error), ())
            return
        unread = [name for name, kept in document.items() if not self._take_back(name, kept)]
        if unread:
            self._put_aside(_NO_STATE, unread)

    async def write(self) -> None:
        """Write the state as it is now, if it has changed; it is in the file on return.

        That it fails, and that it works again, is one line each.
        """
        async with self._taking:
            kept = {name: value.kept() for name, value in self._values.items()}
            text = await encode_in_turns({"format": FORMAT, "values": kept})
            await asyncio.get_running_loop().run_in_executor(self._writer, self._keep, text)

    def _keep(self, text: Sequence[bytes]) -> None:
        digest = _digest(text)
        if digest == self._written:
            return
        try:
            self._put(self._file, text)
        except OSError as error:
            if not self._failed:
                get_logger().warning("state is not kept", folder=str(self._folder), reason=_reason(error))
            self._failed = True
            return
        if self._failed:
            get_logger().warning("state is kept again", folder=str(self._folder))
        self._failed, self._written = False, digest

    async def run(self) -> None:
        """Write every KEEP_S until cancelled."""
        while True:
            await asyncio.sleep(KEEP_S)
            await self.write()

    def _document(self) -> dict[str, JsonValue]:
        if self._file.stat().st_size > STATE_BYTES_MAX:
            raise ValueError("too large")
        match orjson.loads(self._file.read_bytes()):
            case {"format": str(kind), "values": dict(values)} if kind == FORMAT:
                return values
        raise ValueError("of another format")

    def _take_back(self, name: str, kept: JsonValue) -> bool:
        """False: it cannot be read. What no value is called is of another version, and passed over."""
        try:
            if name in self._values:
                self._values[name].take_back(kept)
        except ValueError:
            return False
        return True

    def _put_aside(self, reason: str, unread: Sequence[str]) -> None:
        """Keep the file under another name; `unread`: the values in it that cannot be read, if not all."""
        aside = self._file.with_name(f"{FILE}.unreadable-{int(time.time())}")
        name: str | None = aside.name
        try:
            self._file.rename(aside)
        except OSError:
            name = None
        get_logger().warning(
            "kept state not readable", reason=reason, values=list(unread) or "all", put_aside=name
        )


def _put(path: Path, text: Sequence[bytes]) -> None:
    make_folder(path.parent)
    with replacing(path) as file:
        file.writelines(text)


def _digest(text: Sequence[bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in text:
        digest.update(part)
    return digest.digest()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return _NO_STATE
