"""Reads answers that a pool compressed although it was asked not to (RFC 9110, section 8.4).

gzip and deflate are decoded as they come; `answer_coding` reads the others.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from router_extproc.dialects.base import AnswerProgress, AnswerReader
from router_extproc.llm.answer import Answer, Incomplete

#: What one answer may decode to. Streams compress well, a hostile one a thousandfold.
DECODED_BYTES_MAX: Final = 64 << 20
#: Decoded and read at a time.
_BLOCK_BYTES: Final = 1 << 16
#: Windows as zlib names them: with the header of gzip, with that of zlib, without any.
GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_DEFLATED: Final = 8
#: What tells the windows apart.
_HEAD_BYTES: Final = 2


class DecodingReader:
    """Decodes gzip or deflate in front of a reader."""

    def __init__(self, reader: AnswerReader, *, is_gzip: bool) -> None:
        self._reader = reader
        self._is_gzip = is_gzip
        #: None: the first bytes have not come, or one member is over and another may follow.
        self._inflate: zlib._Decompress | None = None
        self._head = b""
        self._left_bytes = DECODED_BYTES_MAX
        self._failed: Incomplete | None = None
        self._progress = AnswerProgress(started=False)

    def feed(self, chunk: bytes) -> AnswerProgress:
        """See dialects.base.AnswerReader."""
        if self._failed is None and not self._progress.ended:
            try:
                self._decode(chunk)
            except zlib.error:
                self._failed = Incomplete("content-encoding")
        return self._progress

    def finish(self) -> Answer | Incomplete:
        """See dialects.base.AnswerReader."""
        if self._failed is not None:
            return self._failed
        is_cut = self._inflate is not None or self._head
        return Incomplete("cut_off") if is_cut and not self._progress.ended else self._reader.finish()

    def _decode(self, chunk: bytes) -> None:
        for block in self._blocks(chunk):
            self._left_bytes -= len(block)
            if self._left_bytes < 0:
                self._failed = Incomplete("too_large")
                return
            self._progress = self._reader.feed(block)
            if self._progress.ended:
                return

    def _blocks(self, coded: bytes) -> Iterator[bytes]:
        """What the coded bytes give, some at a time; a body of gzip may have several members."""
        coded, self._head = self._head + coded, b""
        while coded:
            if self._inflate is None and len(coded) < _HEAD_BYTES:
                self._head = coded
                return
            inflate = self._inflate = self._inflate or zlib.decompressobj(self._window(coded))
            yield from _inflated(inflate, coded)
            coded = inflate.unused_data
            if inflate.eof:
                self._inflate = None

    def _window(self, coded: bytes) -> int:
        return GZIP if self._is_gzip else window_of_deflate(coded)


def window_of_deflate(coded: bytes) -> int:
    """`deflate` means the header of zlib, yet some senders leave it out."""
    first = int.from_bytes(coded[:2], "big")
    return _ZLIB if first >> 8 & 0xF == _DEFLATED and first % 31 == 0 else _RAW


def _inflated(inflate: zlib._Decompress, coded: bytes) -> Iterator[bytes]:
    block = inflate.decompress(coded, _BLOCK_BYTES)
    yield block
    while inflate.unconsumed_tail or len(block) == _BLOCK_BYTES:
        block = inflate.decompress(inflate.unconsumed_tail, _BLOCK_BYTES)
        yield block
