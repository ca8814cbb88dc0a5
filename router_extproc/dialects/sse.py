"""Server-sent events from bytes cut anywhere.

The same bytes give the same events however they are cut, and no buffer grows past its bound. Reconnecting
and decoding the data are left to others.
Source: WHATWG HTML, section 9.2.6, interpreting an event stream.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event; `data` is its data lines joined by a line feed, never decoded here."""

    data: bytes
    event: str = "message"
    #: The last id that the stream gave, in this event or before it.
    id: str = ""


class SseReader:
    """Cuts a byte stream into events.

    An event that the stream's end leaves without its blank line is only given by `finish`: the standard drops
    it.
    """

    def __init__(self, *, max_event_bytes: int) -> None:
        """`max_event_bytes` bounds what one event may hold in memory, comments included."""
        self._max_event_bytes = max_event_bytes
        self._held_bytes = 0
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._event = ""
        self._id = ""
        self._after_cr = False
        self._at_start = True
        self.overflowed = False

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """The events that `chunk` completes; none any more once an event was over the bound."""
        if self.overflowed or not chunk:
            return []
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r") if chunk else False
        return self._read_lines(chunk)

    def finish(self) -> list[SseEvent]:
        """At the stream's end: the event that its blank line would have given; it may be cut."""
        events: list[SseEvent] = []
        if not self.overflowed:
            self._end_line(events)
            if self._data:
                self._end_line(events)
        return events

    def _read_lines(self, chunk: bytes) -> list[SseEvent]:
        """Cut into lines; the last piece waits for its end."""
        events: list[SseEvent] = []
        *ended, rest = _LINE_END.split(chunk)
        for piece in ended:
            if not self._hold(piece):
                return events
            self._end_line(events)
        self._hold(rest)
        return events

    def _hold(self, piece: bytes) -> bool:
        """Keep a piece of the line in progress; False when that is too much."""
        self._held_bytes += len(piece)
        if self._held_bytes > self._max_event_bytes:
            self.overflowed = True
            self._line, self._data = [], []
            return False
        if piece:
            self._line.append(piece)
        return True

    def _end_line(self, events: list[SseEvent]) -> None:
        """Take the line in progress as complete."""
        line = b"".join(self._line)
        self._line = []
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if line:
            self._take_field(line)
            return
        if self._data:
            events.append(SseEvent(b"\n".join(self._data), self._event or "message", self._id))
        self._data, self._event, self._held_bytes = [], "", 0

    def _take_field(self, line: bytes) -> None:
        """One `name: value` line; a line that starts with a colon is a comment."""
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                self._data.append(value)
            case b"event":
                self._event = value.decode(errors="replace")
            case b"id" if b"\0" not in value:
                self._id = value.decode(errors="replace")
            case _:
                self._forget(line)

    def _forget(self, line: bytes) -> None:
        """Comments and unknown fields are not held, so keep-alives never add up."""
        self._held_bytes -= len(line)
