"""SSE as the WHATWG standard reads it; the cuts are in tests/fuzz."""

from __future__ import annotations

import pytest

from router_extproc.dialects.sse import SseEvent, SseReader


def read(*chunks: bytes, max_event_bytes: int = 1000) -> list[SseEvent]:
    reader = SseReader(max_event_bytes=max_event_bytes)
    return [event for chunk in chunks for event in reader.feed(chunk)]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_every_line_end_ends_a_line(end: bytes) -> None:
    assert read(b"data: a" + end + end + b"data: b" + end + end) == [SseEvent(b"a"), SseEvent(b"b")]


def test_carriage_return_and_line_feed_in_two_chunks_are_one_line_end() -> None:
    assert read(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [SseEvent(b"a\nb")]


def test_event_ended_by_carriage_returns_is_given_at_once() -> None:
    """Waiting for a line feed that may never come would delay the last event."""
    assert read(b"data: a\r\r") == [SseEvent(b"a")]


def test_empty_chunk_does_not_split_a_line_end() -> None:
    assert read(b"data: a\r", b"", b"\ndata: b\n\n") == [SseEvent(b"a\nb")]


def test_data_lines_are_joined_by_a_line_feed() -> None:
    assert read(b"data: a\ndata:b\ndata\ndata:  c\n\n") == [SseEvent(b"a\nb\n\n c")]


def test_empty_data_is_an_event() -> None:
    assert read(b"data:\n\n") == [SseEvent(b"")]


def test_event_without_data_is_none() -> None:
    assert read(b"event: error\nid: 1\n\ndata: a\n\n") == [SseEvent(b"a", "message", "1")]


def test_event_name_holds_for_one_event() -> None:
    assert read(b"event: error\ndata: a\n\ndata: b\n\n") == [SseEvent(b"a", "error"), SseEvent(b"b")]


def test_id_holds_until_the_next_one() -> None:
    given = read(b"id: 7\ndata: a\n\nid: x\0y\ndata: b\n\nid\ndata: c\n\n")
    assert [event.id for event in given] == ["7", "7", ""]


def test_comments_and_unknown_fields_are_passed_over() -> None:
    assert read(b": ping\nretry: 10\nnonsense\nDATA: x\ndata: a\n:\n\n") == [SseEvent(b"a")]


def test_byte_order_mark_is_dropped_at_the_start_only() -> None:
    assert read(b"\xef\xbb", b"\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n") == [SseEvent(b"a")]


def test_event_without_its_blank_line_is_given_at_the_end_alone() -> None:
    assert read(b"data: a\n\ndata: [DONE]\n") == [SseEvent(b"a")]


@pytest.mark.parametrize(
    ("rest", "events"),
    [
        (b"data: [DO", [SseEvent(b"[DO")]),
        (b"data: a\ndata: b\n", [SseEvent(b"a\nb")]),
        (b"data: a\nevent: e", [SseEvent(b"a", "e")]),
        (b"event: e\n", []),
        (b": c", []),
        (b"data: a\n\n", []),
        (b"", []),
    ],
)
def test_at_the_end_the_last_event_needs_no_blank_line(rest: bytes, events: list[SseEvent]) -> None:
    reader = SseReader(max_event_bytes=100)
    reader.feed(b"data: first\n\n" + rest)
    assert reader.finish() == events


def test_at_the_end_nothing_comes_of_what_was_too_long() -> None:
    reader = SseReader(max_event_bytes=3)
    reader.feed(b"data: 12345")
    assert reader.finish() == []


@pytest.mark.parametrize("body", [b"data: 12345", b"data: 1\ndata: 2\n", b": 1234567890", b"nobody: 123\n"])
def test_event_over_the_bound_ends_the_reading(body: bytes) -> None:
    reader = SseReader(max_event_bytes=10)
    assert reader.feed(body) == []
    assert reader.overflowed
    assert reader.feed(b"\n\ndata: b\n\n") == []


def test_events_before_the_long_one_are_given() -> None:
    reader = SseReader(max_event_bytes=10)
    assert reader.feed(b"data: a\n\ndata: 12345\n\ndata: b\n\n") == [SseEvent(b"a")]
    assert reader.overflowed


def test_bound_is_for_one_event_and_not_for_the_stream() -> None:
    assert len(read(b"data: 1234\n\n" * 100, max_event_bytes=10)) == 100


def test_keep_alives_do_not_add_up() -> None:
    assert read(b": keep\n" * 100 + b"data: a\n\n", max_event_bytes=10) == [SseEvent(b"a")]
