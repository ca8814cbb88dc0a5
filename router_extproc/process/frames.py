"""Frames over one end of a pair of sockets: each is its length in eight bytes, and then so many bytes.

An empty frame is a sign of life and nothing else. Frames arrive whole and in order, or not at all.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

#: A frame announces its length in so many bytes.
LENGTH_BYTES: Final = 8
#: More is no configuration.
FRAME_BYTES_MAX: Final = 64 * 1024 * 1024
#: Frames that wait to be written; whoever leaves more of them unread does not read at all.
OUTBOX_MAX: Final = 64
_READ_BYTES: Final = 64 * 1024
#: A sign of life.
EMPTY: Final = b""


def framed(payload: bytes) -> bytes:
    """The payload as a frame."""
    return len(payload).to_bytes(LENGTH_BYTES) + payload


class FrameReader:
    """Cuts bytes, in whatever pieces they come, into payloads."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The payloads that are complete with this chunk.

        Raises:
            ValueError: a frame announces more than FRAME_BYTES_MAX.
        """
        self._waiting += chunk
        payloads = []
        while (payload := self._next()) is not None:
            payloads.append(payload)
        return payloads

    def _next(self) -> bytes | None:
        if len(self._waiting) < LENGTH_BYTES:
            return None
        length = int.from_bytes(self._waiting[:LENGTH_BYTES])
        if length > FRAME_BYTES_MAX:
            raise ValueError(f"{length} bytes were announced")
        end = LENGTH_BYTES + length
        if len(self._waiting) < end:
            return None
        payload = bytes(self._waiting[LENGTH_BYTES:end])
        del self._waiting[:end]
        return payload


class FrameSocket:
    """One end; made where its event loop runs. `run` writes what was posted."""

    def __init__(
        self, own: socket.socket, hear: Callable[[bytes], None], ended: Callable[[], None] | None = None
    ) -> None:
        """`hear` gets every payload; `ended` is called once, when the other end has closed."""
        own.setblocking(False)
        self._own: Final = own
        self._hear: Final = hear
        self._ended: Final = ended
        self._reader: Final = FrameReader()
        self._outbox: Final[deque[bytes]] = deque()
        self._posted: Final = asyncio.Event()
        self._loop: Final = asyncio.get_running_loop()
        self._loop.add_reader(own.fileno(), self._read)

    @property
    def is_idle(self) -> bool:
        """Nothing waits to be written."""
        return not self._outbox

    def post(self, payload: bytes) -> bool:
        """Write the payload behind what was posted before; False: the other end has left too much unread."""
        if len(self._outbox) >= OUTBOX_MAX:
            return False
        self._outbox.append(framed(payload))
        self._posted.set()
        return True

    async def run(self) -> None:
        """Write what is posted, until cancelled; an end that is gone takes nothing more."""
        with suppress(ConnectionError):
            while True:
                await self._posted.wait()
                self._posted.clear()
                while self._outbox:
                    await self._loop.sock_sendall(self._own, self._outbox[0])
                    self._outbox.popleft()

    def hang_up(self) -> None:
        """Nothing more is written; what the other end says is still heard."""
        with suppress(OSError):
            self._own.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Give the socket back; `run` must have ended."""
        self._loop.remove_reader(self._own.fileno())
        self._own.close()

    def _read(self) -> None:
        try:
            chunk = self._own.recv(_READ_BYTES)
            payloads = self._reader.feed(chunk)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            chunk, payloads = b"", []
        for payload in payloads:
            self._hear(payload)
        if not chunk:
            self._loop.remove_reader(self._own.fileno())
            if self._ended is not None:
                self._ended()
