"""The events of a stream as bytes, each with its end: for those who change some and pass the others.

Every byte that goes in comes out again, in order. `sse` reads what the events say.
Source: WHATWG HTML, section 9.2.6, interpreting an event stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

#: Where lines end in CRLF, the second end is no end before its last byte is there.
_END_OF_EVENT: Final = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)(?<!\r\n\r\Z)")
#: Of an event's end all but its last byte: so much of it may have come before the rest.
CUT_END_BYTES: Final = 3
_LINE: Final = re.compile(rb"[^\r\n]*(?>\r\n|\n|\r|\Z)")
_LINE_ENDS: Final = b"\r\n"
_DATA: Final = b"data:"


class EventFrames:
    """Cuts a stream into events; what its end leaves without a blank line is held."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def held_bytes(self) -> int:
        """How much of an event has come that has not ended."""
        return len(self._held)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that end in this chunk."""
        held = self._held + chunk
        frames, copied = [], 0
        # An end may be cut: what is held has none, but for its last bytes.
        for found in _END_OF_EVENT.finditer(held, max(0, len(self._held) - CUT_END_BYTES)):
            frames.append(held[copied : found.end()])
            copied = found.end()
        self._held = held[copied:]
        return frames

    def take(self, *, keep: int = 0) -> bytes:
        """What is held, but for its last bytes."""
        at = max(0, len(self._held) - keep)
        taken, self._held = self._held[:at], self._held[at:]
        return taken


def payload_of(frame: bytes) -> bytes:
    """The data of an event, its lines joined."""
    one_line = frame.endswith(b"\n\n") and frame.find(b"\n") == len(frame) - 2
    if one_line and frame.startswith(_DATA) and b"\r" not in frame:
        return frame[len(_DATA) :].strip()
    return b"\n".join(line[len(_DATA) :].strip() for line in _lines(frame) if line.startswith(_DATA))


def with_payload(frame: bytes, data: bytes) -> bytes:
    """The event with other data; its other lines stay."""
    kept = [line for line in _lines(frame) if not line.startswith(_DATA)]
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    fields = [line for line in kept if line.strip(_LINE_ENDS)]
    ended = len(kept) > len(fields)
    written = b"".join(_DATA + b" " + line + b"\n" for line in lines)
    ends = (field if field.endswith((b"\n", b"\r")) else field + b"\n" for field in fields)
    return b"".join(ends) + written + (b"\n" if ended else b"")


def _lines(frame: bytes) -> Iterator[bytes]:
    return (found.group() for found in _LINE.finditer(frame) if found.group())
