"""Readers of answers: bytes cut anywhere in, one answer or the reason for none out.

They do no I/O and never raise on what a pool sends. The rule they keep: memory stays under the bound
given by the caller, and what can no longer become an answer is dropped at once.
"""

from __future__ import annotations

import orjson

from router_extproc.dialects.base import AnswerProgress
from router_extproc.dialects.json_body import JsonObject
from router_extproc.dialects.members import NotUnderstoodError
from router_extproc.dialects.openai_chat.answer import read_completion
from router_extproc.dialects.openai_chat.assemble import CompletionAssembler
from router_extproc.dialects.sse import SseEvent, SseReader
from router_extproc.llm.answer import Answer, Incomplete

_END_OF_STREAM = b"[DONE]"


class JsonAnswerReader:
    """Reads one chat completion object."""

    def __init__(self, *, max_answer_bytes: int) -> None:
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
        document = _read_document(b"".join(self._chunks))
        return Incomplete("malformed") if document is None else read_completion(document)


class StreamAnswerReader:
    """Reads the events of a streamed chat completion, to the terminal event and no further."""

    def __init__(self, *, max_answer_bytes: int) -> None:
        self._left_bytes = max_answer_bytes
        self._sse = SseReader(max_event_bytes=max_answer_bytes)
        self._assembler = CompletionAssembler()
        self._started = False
        self._ended = False
        self._failed: Incomplete | None = None

    def feed(self, chunk: bytes) -> AnswerProgress:
        """See dialects.base.AnswerReader."""
        self._left_bytes -= len(chunk)
        if self._left_bytes < 0:
            self._fail("too_large")
        if self._failed is None:
            for event in self._sse.feed(chunk):
                self._take(event)
        return AnswerProgress(started=self._started)

    def finish(self) -> Answer | Incomplete:
        """See dialects.base.AnswerReader."""
        if self._failed is not None:
            return self._failed
        if not self._ended:
            return Incomplete("cut_off")
        return read_completion(self._assembler.document())

    def _take(self, event: SseEvent) -> None:
        """Act on one event."""
        if self._ended or self._failed is not None:
            return
        if event.data == _END_OF_STREAM:
            self._ended = True
            return
        document = _read_document(event.data)
        if event.event == "error" or (document and _is_error(document)):
            self._fail("error")
        elif document is None:
            self._fail("malformed")
        else:
            self._add(document)

    def _add(self, document: JsonObject) -> None:
        """Give one event's object to the assembler."""
        try:
            self._assembler.add(document)
        except NotUnderstoodError:
            self._fail("malformed")
        self._started = self._started or self._assembler.started

    def _fail(self, reason: str) -> None:
        """Give up on this answer and free what was kept; the first reason stays."""
        self._failed = self._failed or Incomplete(reason)
        self._assembler = CompletionAssembler()
        self._sse = SseReader(max_event_bytes=0)


class UnreadableAnswerReader:
    """Stands for an answer of another content type: nothing is kept."""

    def __init__(self) -> None:
        self._started = False

    def feed(self, chunk: bytes) -> AnswerProgress:
        """See dialects.base.AnswerReader."""
        self._started = self._started or bool(chunk)
        return AnswerProgress(started=self._started)

    def finish(self) -> Answer | Incomplete:
        """See dialects.base.AnswerReader."""
        return Incomplete("content_type")


def _read_document(text: bytes) -> JsonObject | None:
    """The JSON object, or None when it is none."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return document if type(document) is dict else None


def _is_error(document: JsonObject) -> bool:
    """A pool that fails after its 200 says so in an event."""
    return document.get("error") is not None or document.get("object") == "error"
