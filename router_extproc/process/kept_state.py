"""The file that shared values are kept in over a restart: private, written whole, read with care."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson

from router_extproc.llm.answer import JsonValue
from router_extproc.private_files import make_folder, replacing
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

    def __init__(self, folder: Path, values: Sequence[SharedValue]) -> None:
        self._folder: Final = folder
        self._file: Final = folder / FILE
        self._values: Final = {value.name: value for value in values}
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

    def write(self) -> None:
        """Write the state, if it has changed; that it fails, and that it works again, is one line each."""
        text = orjson.dumps(
            {"format": FORMAT, "values": {name: value.kept() for name, value in self._values.items()}}
        )
        if text == self._written:
            return
        try:
            make_folder(self._folder)
            with replacing(self._file) as file:
                file.write(text)
        except OSError as error:
            if not self._failed:
                get_logger().warning("state is not kept", folder=str(self._folder), reason=_reason(error))
            self._failed = True
            return
        if self._failed:
            get_logger().warning("state is kept again", folder=str(self._folder))
        self._failed, self._written = False, text

    async def run(self) -> None:
        """Write every KEEP_S until cancelled."""
        while True:
            await asyncio.sleep(KEEP_S)
            self.write()

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


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return _NO_STATE
