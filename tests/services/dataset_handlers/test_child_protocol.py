"""Frames survive any way in which a pipe cuts them, and anything else is refused."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_handlers.child_protocol import MAX_FRAME_BYTES, BadFrame, read_frame, write_frame


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            with suppress(OSError):
                os.close(end)


def received(data: bytes) -> Any:
    with pipe() as (source, sink):
        os.write(sink, data)
        os.close(sink)
        return read_frame(source)


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.booleans())))
@settings(deadline=None)
def test_a_message_arrives_as_it_was_sent(message: dict[str, Any]) -> None:
    with pipe() as (source, sink):
        write_frame(sink, message)
        assert read_frame(source) == message


def test_a_message_larger_than_the_pipe_arrives_whole() -> None:
    message = {"text": "x" * 3_000_000}
    with pipe() as (source, sink):
        writer = threading.Thread(target=write_frame, args=(sink, message))
        writer.start()
        assert read_frame(source) == message
        writer.join()


def test_a_file_name_that_is_no_unicode_arrives() -> None:
    with pipe() as (source, sink):
        write_frame(sink, {"path": "\udcff.jpg"})
        assert read_frame(source) == {"path": "\udcff.jpg"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\0", "ends inside a length"),
        (b"\0\0\0\x05{}", "ends inside a message"),
        (b"\0\0\0\x02[]", "no JSON object"),
        (b"\0\0\0\x02{x", "no JSON"),
        (b"\0\0\0\x01\xff", "no JSON"),
        ((MAX_FRAME_BYTES + 1).to_bytes(4, "big"), "longer than"),
    ],
)
def test_anything_else_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadFrame, match=reason):
        received(data)


def test_the_end_between_messages_is_the_end() -> None:
    assert received(b"") is None
