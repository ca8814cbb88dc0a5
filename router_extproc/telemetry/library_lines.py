"""Turns lines that libraries write to standard error by themselves into lines of the log.

gRPC's core, onnxruntime and other native code do not know the log and its form. Inside the block, file
descriptor 2 is a pipe whose lines are read and logged; the log itself writes to the former descriptor. Of a
line in gRPC's form the text is kept, of others, which may quote a client, only their place or size.
"""

from __future__ import annotations

import faulthandler
import io
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import Final, Literal, TextIO, TypeAlias

from router_extproc.clock import Clock
from router_extproc.telemetry.limiter import LineLimiter
from router_extproc.telemetry.logging import get_logger

Origin: TypeAlias = Literal["grpc", "onnxruntime", "rust", "unknown"]

#: Longer lines are cut into such pieces.
LINE_BYTES_MAX: Final = 8192
#: Of the text that is kept.
TEXT_CHARS_MAX: Final = 200
#: For the last lines, at the end of the block.
DRAIN_S: Final = 1.0
_STDERR: Final = 2
_READ_BYTES: Final = 64 * 1024

_LEVELS: Final = {
    "V": logging.DEBUG,
    "I": logging.INFO,
    "W": logging.WARNING,
    "E": logging.ERROR,
    "F": logging.CRITICAL,
}
#: "E0000 00:00:1732830418.1     12 chttp2_transport.cc:1182] text": absl's form, which gRPC writes.
_GRPC: Final = re.compile(r"([IWEF])\d{4} [\d:.]+ +\d+ ([\w./-]{1,80}:\d{1,6})\] (.*)", re.DOTALL).match
#: "2026-11-28 21:00:00.1 [W:onnxruntime:, graph.cc:108 Name] text"
_ONNXRUNTIME: Final = re.compile(r"[\d: .-]+\[([VIWEF]):onnxruntime:[^,]*, ([\w./-]{1,80}:\d{1,6})").match
#: What Rust says before its own words, which quote what it could not take.
_RUST: Final = re.compile(r"thread '.{0,80}' .*?panicked at ([\w./-]{1,120}:\d{1,6})").match
#: absl says so before its first line.
_PREFACE: Final = "WARNING: All log messages before absl::InitializeLog()"


@dataclass(frozen=True, slots=True)
class LibraryLine:
    """One line, as far as it may be logged."""

    level: int
    origin: Origin
    #: FILE:LINE, where the line says it.
    place: str = ""
    #: gRPC's words.
    text: str = ""


def read_line(line: str) -> LibraryLine | None:
    """What may be logged of a line; None: nothing is to be."""
    if not line.strip() or line.startswith(_PREFACE):
        return None
    if match := _GRPC(line):
        return LibraryLine(_LEVELS[match[1]], "grpc", match[2], match[3][:TEXT_CHARS_MAX])
    if match := _ONNXRUNTIME(line):
        return LibraryLine(_LEVELS[match[1]], "onnxruntime", match[2])
    if match := _RUST(line):
        return LibraryLine(logging.ERROR, "rust", match[1])
    return LibraryLine(logging.WARNING, "unknown")


class LibraryLines:
    """Logs lines of libraries, those of one place at most once in a while."""

    def __init__(self, clock: Clock) -> None:
        self._limiter: Final = LineLimiter[tuple[Origin, str]](clock, self._tell_rest)

    def take(self, raw: bytes) -> None:
        """Log a line, if it says anything new."""
        line = read_line(raw.decode("utf-8", "replace"))
        if line is None:
            return
        suppressed = self._limiter.admit((line.origin, line.place))
        if suppressed is None:
            return
        more: dict[str, object] = {"bytes": len(raw)}
        if line.place:
            more["place"] = line.place
        if line.text:
            more["line"] = line.text
        log = get_logger()
        log.log(line.level, "line of a library", origin=line.origin, suppressed=suppressed, **more)

    def drain(self) -> None:
        """Say what was suppressed and not said yet."""
        self._limiter.drain()

    def _tell_rest(self, way: tuple[Origin, str], suppressed: int) -> None:
        origin, place = way
        log = get_logger()
        log.warning("lines of a library not logged", origin=origin, place=place, suppressed=suppressed)


@contextmanager
def library_lines(clock: Clock) -> Iterator[TextIO]:
    """Standard error as it was, for the log; inside the block others' lines to it are logged.

    A crash in native code still leaves its Python stack, written past the log.
    """
    sys.stderr.flush()
    # Never closed: whatever logs while the interpreter ends still finds it open.
    before = os.fdopen(os.dup(_STDERR), "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    read_end, write_end = os.pipe()
    # Native code may write while it holds the interpreter, which the reader needs: a full pipe must drop.
    os.set_blocking(write_end, False)
    os.dup2(write_end, _STDERR)
    os.close(write_end)
    lines = LibraryLines(clock)
    reader = threading.Thread(target=_read, args=(read_end, lines.take), name="library-lines", daemon=True)
    reader.start()
    faulthandler.enable(before)
    with _hooks_logged(), redirect_stderr(_dropping_text()):
        try:
            yield before
        finally:
            os.dup2(before.fileno(), _STDERR)
            reader.join(DRAIN_S)
            lines.drain()
            faulthandler.disable()


def _dropping_text() -> TextIO:
    """Python's own standard error; it drops what a full pipe does not take, where the usual one raises."""
    return io.TextIOWrapper(  # unbuffered, as `python -u` has it
        io.FileIO(_STDERR, "w", closefd=False), "utf-8", "backslashreplace", write_through=True
    )


def _read(read_end: int, take: Callable[[bytes], None]) -> None:
    rest = b""
    with os.fdopen(read_end, "rb", buffering=0) as pipe:
        while chunk := pipe.read(_READ_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            while len(rest) > LINE_BYTES_MAX:
                lines.append(rest[:LINE_BYTES_MAX])
                rest = rest[LINE_BYTES_MAX:]
            for line in lines:
                take(line)
    take(rest)


@contextmanager
def _hooks_logged() -> Iterator[None]:
    """Errors that nobody catches, in threads and finalizers, are logged and not printed."""
    in_thread, unraisable = threading.excepthook, sys.unraisablehook
    threading.excepthook = lambda failed: _log_uncaught("thread failed", failed.exc_value)
    sys.unraisablehook = lambda failed: _log_uncaught("finalizer failed", failed.exc_value)
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = in_thread, unraisable


def _log_uncaught(event: str, error: BaseException | None) -> None:
    get_logger().error(event, exc_info=error)
