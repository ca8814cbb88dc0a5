"""What a supervisor and one of its workers tell each other: a pair of sockets, one end of it standard input.

First comes one document down, the configuration in force. Then come signs of life up, messages about a reload
both ways (`process.reload.messages`), and either end sees the other one's death as the end of the file.
Nothing of it is on the command line or on disk.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

from router_extproc.errors import RouterError
from router_extproc.process.alongside import alongside
from router_extproc.process.frames import EMPTY, FRAME_BYTES_MAX, LENGTH_BYTES, OUTBOX_MAX, FrameSocket
from router_extproc.process.watch import BEAT_S

#: For the document to arrive at a worker that has just started.
HAND_OVER_S: Final = 60.0
#: Messages that wait in a worker that still starts; one with more of them ends.
UNHEARD_MAX: Final = OUTBOX_MAX


class NothingHandedOver(RouterError):
    """The supervisor ended, or said nothing, before the worker had its configuration."""


class WorkerChannel:
    """The supervisor's end, made where its event loop runs; `theirs` becomes the worker's standard input."""

    def __init__(self, hear: Callable[[bytes], None] = lambda _: None) -> None:
        """`hear` gets every message that is more than a sign of life."""
        own, self.theirs = socket.socketpair()
        self._hear: Final = hear
        #: Set by everything that is heard, so that none is lost when a wait ends in the same moment.
        self._spoke: Final = asyncio.Event()
        self._frames: Final = FrameSocket(own, self._heard)

    def hang_up(self) -> None:
        """Nothing more comes: the worker drains. What it says is still heard."""
        self._frames.hang_up()

    def close(self) -> None:
        """Give the socket back; nobody may be sending any more."""
        self._frames.close()

    def post(self, message: bytes) -> None:
        """Send a message; a worker that leaves too many of them unread is told to end."""
        if not self._frames.post(message):
            self.hang_up()

    async def sending(self) -> None:
        """Send what was posted, until cancelled; a worker that has ended does not want it any more."""
        await self._frames.run()

    async def heard(self, within_s: float) -> bool:
        """True as soon as there was a sign of life since the last call; False after so long without one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._spoke.wait()
        heard = self._spoke.is_set()
        self._spoke.clear()
        return heard

    def _heard(self, message: bytes) -> None:
        self._spoke.set()
        if message:
            self._hear(message)


def take_document() -> bytes:
    """The document from standard input, over which messages come and go afterwards.

    Raises:
        NothingHandedOver: there is none.
    """
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as own:
        own.settimeout(HAND_OVER_S)
        try:
            length = int.from_bytes(_exactly(own, LENGTH_BYTES))
            if length > FRAME_BYTES_MAX:
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


class SupervisorChannel:
    """The worker's end, after it has taken its document."""

    def __init__(self) -> None:
        #: Gets every message; set once there is somebody to hear them. Until then they wait.
        self._hear: Callable[[bytes], None] | None = None
        self._unheard: Final[list[bytes]] = []
        self._frames: FrameSocket | None = None

    def post(self, message: bytes) -> bool:
        """Send a message; False: the supervisor stands still."""
        return self._frames is not None and self._frames.post(message)

    def hear(self, hear: Callable[[bytes], None]) -> None:
        """Call `hear` with every message from now on, and with those that came before."""
        self._hear = hear
        for message in self._unheard:
            hear(message)
        self._unheard.clear()

    @asynccontextmanager
    async def open(self, stop: asyncio.Event, ready: asyncio.Event) -> AsyncIterator[None]:
        """Listen inside the block; from `ready` on, a sign of life goes up each BEAT_S.

        The supervisor's end sets `stop` (no worker outlives it), and so does a message too many.
        """
        own = socket.socket(fileno=os.dup(sys.stdin.fileno()))
        self._frames = frames = FrameSocket(own, partial(self._heard, stop), stop.set)
        try:
            async with alongside(frames.run(), _beat(frames, ready)):
                yield
        finally:
            self._frames = None
            frames.close()

    def _heard(self, stop: asyncio.Event, message: bytes) -> None:
        if self._hear is not None:
            self._hear(message)
        elif len(self._unheard) < UNHEARD_MAX:
            self._unheard.append(message)
        else:
            # One is missing from now on: the next start begins with the configuration in force.
            stop.set()


async def _beat(frames: FrameSocket, ready: asyncio.Event) -> None:
    await ready.wait()
    while True:
        # Otherwise the supervisor stands still: it is to find no heap of old signs of life.
        if frames.is_idle:
            frames.post(EMPTY)
        await asyncio.sleep(BEAT_S)
