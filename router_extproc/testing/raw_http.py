"""An HTTP/1.1 client that sends exactly the bytes a test wrote, at the pace it wrote them.

One request a connection, and the answer is read while the request is still being sent, because servers
refuse bodies early.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

#: Bytes to send, or seconds to wait.
Step: TypeAlias = bytes | float

LAST_CHUNK: Final = b"0\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE).search
_READ_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class RawReply:
    """What came back, interim responses left out."""

    status: int
    headers: dict[str, str]
    body: bytes
    #: From the first byte sent to the first byte of the answer.
    first_byte_s: float


def chunk(piece: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def chunked(body: bytes, size: int) -> list[Step]:
    """A whole chunked body, in chunks of `size` bytes."""
    return [*(chunk(body[at : at + size]) for at in range(0, len(body), size)), LAST_CHUNK]


async def exchange(
    address: str, head: str, steps: Iterable[Step], *, headers: Iterable[str] = (), timeout_s: float = 10.0
) -> RawReply:
    """Send `head` (method and path), the headers, then the steps; read one answer.

    It is over when it has its content-length, or when the server closes, which Envoy does a second after
    a refusal.

    Raises:
        TimeoutError: no complete answer in time.
        ConnectionError: the connection ended without an answer.
    """
    host, _, port = address.rpartition(":")
    lines = [f"{head} HTTP/1.1", "host: gateway", "connection: close", *headers, "", ""]
    start_s = time.monotonic()
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(timeout_s):
            sending = asyncio.create_task(_send(writer, ["\r\n".join(lines).encode(), *steps]))
            received, first_byte_s = await _receive(reader, start_s)
            sending.cancel()
            await asyncio.wait([sending])
    finally:
        writer.close()
    return _parse(received, first_byte_s)


async def _send(writer: asyncio.StreamWriter, steps: Iterable[Step]) -> None:
    with contextlib.suppress(ConnectionError):
        for step in steps:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            else:
                await asyncio.sleep(step)


async def _receive(reader: asyncio.StreamReader, start_s: float) -> tuple[bytes, float]:
    received, first_byte_s = b"", 0.0
    # A server that refuses a body early resets the connection while we are still sending.
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(_READ_BYTES):
            first_byte_s = first_byte_s or time.monotonic() - start_s
            received += piece
            if _is_whole(received):
                break
    return received, first_byte_s


def _is_whole(received: bytes) -> bool:
    head, rest = _split(received)
    announced = _LENGTH(head)
    return announced is not None and len(rest) >= int(announced[1])


def _split(received: bytes) -> tuple[bytes, bytes]:
    """Head and body of the final answer."""
    head, _, rest = received.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 100"):
        head, _, rest = rest.partition(b"\r\n\r\n")
    return head, rest


def _parse(received: bytes, first_byte_s: float) -> RawReply:
    head, rest = _split(received)
    if not head:
        raise ConnectionError("closed without an answer")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return RawReply(int(first.split(" ")[1]), headers, rest, first_byte_s)
