"""What a supervisor and one of its workers tell each other: a pair of sockets, one end of it standard input.

Down comes one document (the configuration), up come signs of life, and either end sees the other one's
death as the end of the file. Nothing of it is on the command line or on disk.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from router_extproc.errors import RouterError
from router_extproc.process.watch import BEAT_S

#: For the document to arrive at a worker that has just started.
HAND_OVER_S: Final = 60.0
#: A document announces its length in so many bytes.
_LENGTH_BYTES: Final = 8
#: More is no configuration.
DOCUMENT_BYTES_MAX: Final = 64 * 1024 * 1024
_BEAT: Final = b"."
_READ_BYTES: Final = 4096


class NothingHandedOver(RouterError):
    """The supervisor ended, or said nothing, before the worker had its configuration."""


class WorkerChannel:
    """The supervisor's end, made where its event loop runs; `theirs` becomes the worker's standard input."""

    def __init__(self) -> None:
        self._own, self.theirs = socket.socketpair()
        self._own.setblocking(False)
        self._loop: Final = asyncio.get_running_loop()
        #: Set by every sign of life, so that none is lost when a wait ends in the same moment.
        self._spoke: Final = asyncio.Event()
        self._loop.add_reader(self._own.fileno(), self._read)

    def hang_up(self) -> None:
        """Nothing more comes: the worker drains. What it says is still heard."""
        with suppress(OSError):
            self._own.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Give the socket back; nobody may be sending any more."""
        self._loop.remove_reader(self._own.fileno())
        self._own.close()

    async def hand_over(self, document: bytes) -> None:
        """Send the document; a worker that has ended does not want it any more."""
        whole = len(document).to_bytes(_LENGTH_BYTES) + document
        with suppress(ConnectionError):
            await self._loop.sock_sendall(self._own, whole)

    async def heard(self, within_s: float) -> bool:
        """True as soon as there was a sign of life since the last call; False after so long without one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._spoke.wait()
        heard = self._spoke.is_set()
        self._spoke.clear()
        return heard

    def _read(self) -> None:
        """Take what came; a worker that has hung up has ended, which is noticed elsewhere."""
        with suppress(ConnectionError):
            if self._own.recv(_READ_BYTES):
                self._spoke.set()
                return
        self._loop.remove_reader(self._own.fileno())


def take_document() -> bytes:
    """The document from standard input, which afterwards is for signs of life.

    Raises:
        NothingHandedOver: there is none.
    """
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as own:
        own.settimeout(HAND_OVER_S)
        try:
            length = int.from_bytes(_exactly(own, _LENGTH_BYTES))
            if length > DOCUMENT_BYTES_MAX:
                raise NothingHandedOver(f"{length} bytes were announced")
            return _exactly(own, length)
        except OSError as error:
            raise NothingHandedOver(str(error)) from error
        finally:
            own.setblocking(False)


def _exactly(own: socket.socket, count: int) -> bytes:
    whole = bytearray()
    while len(whole) < count:
        piece = own.recv(count - len(whole))
        if not piece:
            raise NothingHandedOver("the supervisor has hung up")
        whole += piece
    return bytes(whole)


@asynccontextmanager
async def beating(ready: asyncio.Event) -> AsyncIterator[None]:
    """From `ready` on, and until the block is left, a sign of life from this event loop each BEAT_S."""
    task = asyncio.create_task(_beat(ready), name="beat")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _beat(ready: asyncio.Event) -> None:
    await ready.wait()
    while True:
        # Full: the supervisor stands still. Broken: it is gone, and the end of the file says so.
        with suppress(BlockingIOError, ConnectionError):
            os.write(sys.stdin.fileno(), _BEAT)
        await asyncio.sleep(BEAT_S)
