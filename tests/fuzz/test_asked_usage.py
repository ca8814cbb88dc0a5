"""Usage that is hidden in streams of any events, in any spelling, cut anywhere."""

from __future__ import annotations

from itertools import pairwise
from typing import Any  # JSON trees

import orjson
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.dialects.openai_usage import StreamUsage, UsageHider
from router_extproc.dialects.sse import SseReader
from router_extproc.testing.check_dialect_usage import hidden

SCALARS = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "usage", '"usage": null', "é\n"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["usage", "x"]), inner),
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "id": VALUES,
        "choices": st.just([]) | st.lists(VALUES, max_size=2) | VALUES,
        "usage": st.none() | st.just({"total_tokens": 1}) | VALUES,
        "error": st.none() | VALUES,
        "x": VALUES,
    },
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
OTHERS = st.sampled_from([b": note", b"event: usage", b'id: "usage"', b"data: [DONE]", b'data: {"usage": nu'])
FRAMES = st.lists(EVENTS | OTHERS, max_size=6)
CUTS = st.lists(st.integers(0, 600), max_size=12)


def written(frames: list[Any], end: bytes, *, spaced: bool) -> bytes:
    option = orjson.OPT_INDENT_2 if spaced else None

    def lines(frame: Any) -> bytes:
        if isinstance(frame, bytes):
            return frame + end
        return b"".join(b"data: " + line + end for line in orjson.dumps(frame, option=option).split(b"\n"))

    return b"".join(lines(frame) + end for frame in frames)


def events_of(body: bytes) -> list[bytes]:
    return [event.data for event in SseReader(max_event_bytes=1 << 20).feed(body)]


def left(event: bytes) -> bytes | None:
    """What a client gets of an event's data, in one spelling; None: nothing."""
    try:
        document = orjson.loads(event)
    except orjson.JSONDecodeError:
        return event
    usage = document.get("usage", 0)
    if isinstance(usage, dict) and document.get("choices") == [] and not document.get("error"):
        return None
    return orjson.dumps(
        {name: value for name, value in document.items() if name != "usage" or value is not None}
    )


@given(FRAMES, ENDS, st.booleans())
def test_only_usage_is_taken_out_of_any_stream(frames: list[Any], end: bytes, spaced: bool) -> None:  # noqa: FBT001
    body = written(frames, end, spaced=spaced)
    wanted = [data for data in map(left, events_of(body)) if data is not None]
    assert [left(event) for event in events_of(hidden(UsageHider(), body))] == wanted


@given(FRAMES, ENDS, st.booleans(), CUTS)
def test_wherever_a_stream_is_cut_the_client_gets_the_same(
    frames: list[Any],
    end: bytes,
    spaced: bool,  # noqa: FBT001
    cuts: list[int],
) -> None:
    body = written(frames, end, spaced=spaced)
    edges = sorted({0, *(cut for cut in cuts if cut < len(body)), len(body)})
    pieces = [body[start:stop] for start, stop in pairwise(edges)]
    assert hidden(UsageHider(), *pieces) == hidden(UsageHider(), body)


@given(
    st.lists(st.binary(max_size=60) | st.sampled_from([b'data: {"usage":', b"null}", b"\n\n"]), max_size=8)
)
def test_no_bytes_of_a_pool_raise(pieces: list[bytes]) -> None:
    hider = StreamUsage().hide("text/event-stream")
    assert hider is not None
    assert isinstance(hidden(hider, *pieces), bytes)
