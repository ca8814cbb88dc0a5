"""Chooses how an answer that a pool compressed is read: as it comes, or, of zstd and br, when it is whole.

The library of these two takes a third of a second to load. It is loaded beside the event loop with the first
such answer, which is not read; so are those that end before it is there.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from threading import Thread
from typing import Final

from router_extproc.dialects.base import AnswerProgress, AnswerReader
from router_extproc.dialects.readers import UnreadableAnswerReader
from router_extproc.errors import MalformedRequest, RequestTooLarge
from router_extproc.llm.answer import Answer, Incomplete
from router_extproc.pipeline.coded_bodies import decode_body
from router_extproc.pipeline.content_coding import DECODED_BYTES_MAX, DecodingReader

#: Of the coded bytes of one answer; texts have a tenth of their size then.
CODED_BYTES_MAX: Final = 8 << 20
_LIBRARY: Final = "pyarrow"


def decoding(reader: AnswerReader, content_encoding: str) -> AnswerReader:
    """A reader of the answer in this coding, which hands what it decodes to `reader`."""
    match content_encoding.strip().lower():
        case "" | "identity":
            return reader
        case "gzip" | "x-gzip" | "deflate" as coding:
            return DecodingReader(reader, is_gzip=coding != "deflate")
        case "zstd" | "br" as coding if _LIBRARY in sys.modules:
            return WholeDecodingReader(reader, coding)
        case "zstd" | "br":
            load()
            return UnreadableAnswerReader("content-encoding")
        case _:
            return UnreadableAnswerReader("content-encoding")


@cache
def load() -> None:
    """Load the library beside the event loop."""
    Thread(target=import_module, args=(_LIBRARY,), name=_LIBRARY, daemon=True).start()


class WholeDecodingReader:
    """Keeps the coded bytes of an answer, and reads them at its end."""

    def __init__(self, reader: AnswerReader, coding: str) -> None:
        self._reader = reader
        self._coding = coding
        self._coded = bytearray()
        self._too_large = False

    def feed(self, chunk: bytes) -> AnswerProgress:
        """See dialects.base.AnswerReader; what has begun is seen by its first byte."""
        self._too_large = self._too_large or len(self._coded) + len(chunk) > CODED_BYTES_MAX
        self._coded += b"" if self._too_large else chunk
        return AnswerProgress(started=bool(self._coded))

    def finish(self) -> Answer | Incomplete:
        """See dialects.base.AnswerReader."""
        if self._too_large:
            return Incomplete("too_large")
        try:
            self._reader.feed(decode_body(bytes(self._coded), self._coding, max_bytes=DECODED_BYTES_MAX))
        except RequestTooLarge:
            return Incomplete("too_large")
        except MalformedRequest:
            return Incomplete("content-encoding")
        return self._reader.finish()
