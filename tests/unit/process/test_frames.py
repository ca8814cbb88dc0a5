"""Frames arrive whole and in order, however their bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.process.frames import FRAME_BYTES_MAX, LENGTH_BYTES, FrameReader, framed


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(min_value=1, max_value=20)))
def test_frames_come_out_as_they_went_in_whatever_the_cuts(payloads: list[bytes], cuts: list[int]) -> None:
    stream, reader, read = b"".join(map(framed, payloads)), FrameReader(), []
    for cut in [*cuts, len(stream)]:
        chunk, stream = stream[:cut], stream[cut:]
        read += reader.feed(chunk)
    assert read == payloads


def test_a_frame_that_announces_too_much_is_no_frame() -> None:
    """Its bytes would be waited for in memory."""
    announced = (FRAME_BYTES_MAX + 1).to_bytes(LENGTH_BYTES)
    with pytest.raises(ValueError, match="announced"):
        FrameReader().feed(announced)
