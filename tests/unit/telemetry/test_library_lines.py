"""What of a library's line may be logged, and how often."""

from __future__ import annotations

import json
import logging

import pytest
from structlog.testing import capture_logs

from router_extproc.telemetry.library_lines import TEXT_CHARS_MAX, LibraryLine, LibraryLines, read_line
from router_extproc.telemetry.limiter import EVERY_S
from router_extproc.testing.clock import ManualClock

PINGS = (
    "E0000 00:00:1732830418.162551   18254 chttp2_transport.cc:1182] ipv4:10.0.0.1:19530: Received a GOAWAY "
    'with error code ENHANCE_YOUR_CALM and debug data equal to "too_many_pings"'
)
ALLOC = "I0000 00:00:1732830418.162551   18254 ev_epoll1_linux.cc:125] AllocTimestamp"


def test_grpcs_lines_keep_level_place_and_words() -> None:
    line = read_line(PINGS)
    assert line is not None
    assert (line.level, line.origin, line.place) == (logging.ERROR, "grpc", "chttp2_transport.cc:1182")
    assert "too_many_pings" in line.text
    assert read_line(ALLOC) == LibraryLine(logging.INFO, "grpc", "ev_epoll1_linux.cc:125", "AllocTimestamp")


def test_long_words_are_cut() -> None:
    line = read_line(PINGS + "x" * 10_000)
    assert line is not None
    assert len(line.text) == TEXT_CHARS_MAX


@pytest.mark.parametrize(
    "line",
    ["", "  ", "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR"],
)
def test_what_says_nothing_is_left_out(line: str) -> None:
    assert read_line(line) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "2026-11-28 21:00:00.12 [W:onnxruntime:, graph.cc:108 Name] my prompt",
            LibraryLine(logging.WARNING, "onnxruntime", "graph.cc:108"),
        ),
        (
            "thread '<unnamed>' (12) panicked at src/lib.rs:10:5: it is inside 'é' of `my prompt`",
            LibraryLine(logging.ERROR, "rust", "src/lib.rs:10"),
        ),
        ("Traceback (most recent call last):", LibraryLine(logging.WARNING, "unknown")),
        ("ValueError: my prompt", LibraryLine(logging.WARNING, "unknown")),
        ("E0000 my prompt", LibraryLine(logging.WARNING, "unknown")),
    ],
)
def test_text_that_may_quote_a_client_is_left_out(line: str, expected: LibraryLine) -> None:
    assert read_line(line) == expected


def test_lines_of_one_place_are_logged_once_in_a_while() -> None:
    """A library in trouble may write a thousand a second."""
    clock = ManualClock()
    lines = LibraryLines(clock)
    with capture_logs() as logged:
        for _ in range(5):
            lines.take(PINGS.encode())
        clock.advance(EVERY_S)
        lines.take(PINGS.encode())
        lines.take(PINGS.encode())
        lines.drain()
    assert [line["suppressed"] for line in logged] == [0, 4, 1]
    assert {line["event"] for line in logged} == {"line of a library", "lines of a library not logged"}


def test_bytes_that_are_no_text_are_logged_by_their_size() -> None:
    with capture_logs() as logged:
        LibraryLines(ManualClock()).take(b"\xff\x00 secret")
    assert (logged[0]["origin"], logged[0]["bytes"]) == ("unknown", 9)
    assert "secret" not in json.dumps(logged)
