"""Frames from a child, in pieces of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler_runner.frame_buffer import MAX_FRAME_BYTES, BadFrame, FrameBuffer, frame

events = st.lists(st.dictionaries(st.text(), st.integers()).map(lambda fields: {**fields, "type": "progress"}))


@given(events, st.integers(1, 50))
def test_events_arrive_whole_and_in_order(sent, piece_bytes):
    data = b"".join(map(frame, sent))
    buffer = FrameBuffer()
    pieces = (data[start : start + piece_bytes] for start in range(0, len(data), piece_bytes))
    assert [event for piece in pieces for event in buffer.feed(piece)] == sent


@pytest.mark.parametrize(
    "data",
    [
        (MAX_FRAME_BYTES + 1).to_bytes(4, "big"),
        b"\0\0\0\2{]",
        b"\0\0\0\2{}",
        b"\0\0\0\1\xff",
        b"hello, world, this is printed",
    ],
)
def test_what_is_no_frame_is_refused(data):
    with pytest.raises(BadFrame):
        list(FrameBuffer().feed(data))
