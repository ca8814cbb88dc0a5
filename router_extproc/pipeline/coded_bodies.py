"""Decodes request bodies that a client has compressed (RFC 9110, section 8.4).

The limit is that of the decoded body: a few bytes that would become more are refused as soon as they do.
zstd and br are read with pyarrow, which is loaded with the first such body: it takes 40 MB and a third of a
second.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from router_extproc.errors import MalformedRequest, RequestTooLarge, UnsupportedCoding
from router_extproc.pipeline.content_coding import GZIP, window_of_deflate

_NOT_READ: Final = "The request body is not what its content-encoding says."
TOO_LARGE: Final = "The request body is larger than this gateway accepts."


def coding_of(content_encoding: str) -> str:
    """The coding of a body; "": it has none.

    Raises:
        UnsupportedCoding: it has one that is not read, or several.
    """
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    codings = [coding for coding in codings if coding not in {"", "identity"}]
    if not codings:
        return ""
    if len(codings) > 1 or codings[0] not in _DECODERS:
        raise UnsupportedCoding("This content-encoding is not supported.", ACCEPTED)
    return codings[0]


def decode_body(body: bytes, coding: str, *, max_bytes: int) -> bytes:
    """The body without its coding, which `coding_of` has named. Takes time and memory as of `max_bytes`.

    Raises:
        MalformedRequest: it is cut off, or of another coding.
        RequestTooLarge: it would have more than `max_bytes`.
    """
    decoded = _DECODERS[coding](body, max_bytes + 1)
    if len(decoded) > max_bytes:
        raise RequestTooLarge(TOO_LARGE)
    if not decoded:
        # Also what pyarrow makes of a beginning that is cut off.
        raise MalformedRequest(_NOT_READ)
    return decoded


def _gunzip(body: bytes, room: int) -> bytes:
    return _inflate(body, room, GZIP)


def _undeflate(body: bytes, room: int) -> bytes:
    return _inflate(body, room, window_of_deflate(body))


def _inflate(body: bytes, room: int, window: int) -> bytes:
    """At most `room` bytes; a body of gzip may have several members."""
    pieces: list[bytes] = []
    while room > 0:
        inflate = zlib.decompressobj(window)
        try:
            piece = inflate.decompress(body, room)
        except zlib.error:
            raise MalformedRequest(_NOT_READ) from None
        pieces.append(piece)
        room -= len(piece)
        if inflate.eof and not inflate.unused_data:
            break
        if not inflate.eof and room > 0:
            raise MalformedRequest(_NOT_READ)
        body = inflate.unused_data
    return b"".join(pieces)


def _by_arrow(codec: str) -> Callable[[bytes, int], bytes]:
    def decode(body: bytes, room: int) -> bytes:
        import pyarrow as pa  # noqa: PLC0415 - see the module's docstring

        stream = pa.CompressedInputStream(pa.BufferReader(body), codec)
        try:
            return bytes(stream.read(room))
        except (OSError, pa.ArrowException):
            raise MalformedRequest(_NOT_READ) from None

    return decode


_DECODERS: Final[Mapping[str, Callable[[bytes, int], bytes]]] = MappingProxyType(
    {
        "gzip": _gunzip,
        "x-gzip": _gunzip,
        "deflate": _undeflate,
        "zstd": _by_arrow("zstd"),
        "br": _by_arrow("brotli"),
    }
)
#: What a client may use instead, for `accept-encoding` (RFC 9110, section 12.5.3).
ACCEPTED: Final = ", ".join(name for name in _DECODERS if not name.startswith("x-"))
