"""Readers of answers that all dialects share: bytes cut anywhere in, one answer or a reason for none out.

They never raise on what a pool sends. What is held of an answer stays under the caller's bound, and what can
no longer become an answer is dropped at once. A stream's frames, several hundred bytes for a token, do not
count towards that bound: they are parsed and dropped. A dialect adds what is its own: how it reads the
object of an unstreamed answer, and how it puts the events of a streamed one together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import orjson

from router_extproc.dialects.base import AnswerProgress, AnswerReader
from router_extproc.dialects.members import NotUnderstoodError
from router_extproc.dialects.sse import SseEvent, SseReader
from router_extproc.llm.answer import Answer, Incomplete, JsonObject

#: What one event may hold beside the answer: ids, names, quotes and escapes.
EVENT_ROOM_BYTES: Final = 1 << 16
#: Bytes of a stream for each byte that its answer may have. A frame of vLLM has some 220 bytes, one of a
#: gateway up to 500, and a token two to five.
RAW_BYTES_PER_ANSWER_BYTE: Final = 256

#: Reads the object that an unstreamed answer is.
ReadObject = Callable[[JsonObject], Answer | Incomplete]


class PoolFailedError(Exception):
    """A pool that fails after its 200 says so in an event; never leaves this package."""


class Assembler(Protocol):
    """Puts the events of one streamed answer together."""

    @property
    def started(self) -> bool:
        """A piece of content, reasoning or a tool call has come."""
        ...

    @property
    def ended(self) -> bool:
        """The terminal event has come; nothing is added any more."""
        ...

    @property
    def held_bytes(self) -> int:
        """About how much of the answer itself has come: texts, and what is not text as JSON."""
        ...

    def add(self, event: SseEvent) -> None:
        """Take one event.

        Raises:
            NotUnderstoodError: it is not what the API prescribes, or does not fit what came before.
            PoolFailedError: it is an error.
        """
        ...

    def answer(self) -> Answer | Incomplete:
        """The answer, after the terminal event."""
        ...


def answer_reader(
    content_type: str, read: ReadObject, assembler: Callable[[], Assembler], *, max_answer_bytes: int
) -> AnswerReader:
    """The reader for an answer of this content type."""
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return JsonAnswerReader(read, max_answer_bytes=max_answer_bytes)
        case "text/event-stream":
            return StreamAnswerReader(assembler, max_answer_bytes=max_answer_bytes)
        case _:
            return UnreadableAnswerReader()


class JsonAnswerReader:
    """Reads an answer that is one JSON object."""

    def __init__(self, read: ReadObject, *, max_answer_bytes: int) -> None:
        self._read = read
        self._max_answer_bytes = max_answer_bytes
        self._chunks: list[bytes] = []
        self._held_bytes = 0
        self._too_large = False

    def feed(self, chunk: bytes) -> AnswerProgress:
        """See dialects.base.AnswerReader; a pool begins such a body when the model is through."""
        self._held_bytes += len(chunk)
        if self._held_bytes > self._max_answer_bytes:
            self._too_large = True
            self._chunks.clear()
        elif chunk:
            self._chunks.append(chunk)
        return AnswerProgress(started=self._held_bytes > 0)

    def finish(self) -> Answer | Incomplete:
        """See dialects.base.AnswerReader."""
        if self._too_large:
            return Incomplete("too_large")
        try:
            return self._read(answer_object(b"".join(self._chunks)))
        except NotUnderstoodError:
            return Incomplete("malformed")


class StreamAnswerReader:
    """Reads the events of a streamed answer, to the terminal event and no further."""

    def __init__(self, assembler: Callable[[], Assembler], *, max_answer_bytes: int) -> None:
        self._max_answer_bytes = max_answer_bytes
        self._left_bytes = max_answer_bytes * RAW_BYTES_PER_ANSWER_BYTE + EVENT_ROOM_BYTES
        self._sse = SseReader(max_event_bytes=max_answer_bytes + EVENT_ROOM_BYTES)
        self._assembler: Assembler | None = assembler()
        self._started = False
        self._failed = Incomplete("cut_off")

    def feed(self, chunk: bytes) -> AnswerProgress:
        """See dialects.base.AnswerReader."""
        self._left_bytes -= len(chunk)
        if self._left_bytes < 0 and not self._ended:
            self._fail("too_large")
        if self._assembler is not None:
            for event in self._sse.feed(chunk):
                self._take(event)
        if self._sse.overflowed and not self._ended:
            self._fail("too_large")
        return AnswerProgress(started=self._started, ended=self._ended)

    def finish(self) -> Answer | Incomplete:
        """See dialects.base.AnswerReader."""
        if not self._ended:
            self._take_unended()
        if self._assembler is None or not self._assembler.ended:
            return self._failed
        return self._assembler.answer()

    @property
    def _ended(self) -> bool:
        return self._assembler is not None and self._assembler.ended

    def _take_unended(self) -> None:
        """Of a body that stops without the blank line, the last event, if it is the terminal one.

        Anything else in its place may be half an event.
        """
        failed = self._failed
        for event in self._sse.finish():
            self._take(event)
        if not self._ended:
            self._failed = failed

    def _take(self, event: SseEvent) -> None:
        """Act on one event."""
        assembler = self._assembler
        if assembler is None or assembler.ended:
            return
        try:
            assembler.add(event)
        except NotUnderstoodError:
            self._fail("malformed")
        except PoolFailedError:
            self._fail("error")
        if assembler.held_bytes > self._max_answer_bytes:
            self._fail("too_large")
        self._started = self._started or assembler.started

    def _fail(self, reason: str) -> None:
        """Give up on this answer and free what was kept; the first reason stays."""
        if self._assembler is not None:
            self._failed = Incomplete(reason)
        self._assembler = None
        self._sse = SseReader(max_event_bytes=0)


class UnreadableAnswerReader:
    """Stands for an answer of another content type, or in an unknown coding: nothing is kept."""

    def __init__(self, reason: str = "content_type") -> None:
        self._reason = reason
        self._started = False

    def feed(self, chunk: bytes) -> AnswerProgress:
        """See dialects.base.AnswerReader."""
        self._started = self._started or bool(chunk)
        return AnswerProgress(started=self._started)

    def finish(self) -> Answer | Incomplete:
        """See dialects.base.AnswerReader."""
        return Incomplete(self._reason)


def answer_object(text: bytes) -> JsonObject:
    """The JSON object that an event's data or a whole body is.

    Raises:
        NotUnderstoodError: it is something else.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotUnderstoodError from error
    if type(document) is not dict:
        raise NotUnderstoodError
    return document
