"""What is no example is refused, and what protobuf would also accept is read."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_handlers.example import BadExample, decode_example, encode_example


def test_features_are_sorted_by_name() -> None:
    assert encode_example({"b": 1, "a": b"x"}) == encode_example({"a": b"x", "b": 1})
    assert list(decode_example(encode_example({"b": 1, "a": b"x"}))) == ["a", "b"]


def test_every_kind_of_value_reads_back() -> None:
    example = {"id": "ä", "count": 3, "share": 0.5, "flag": True, "box": [1.0, 2.0], "none": []}
    assert decode_example(encode_example(example)) == {
        "id": ["ä".encode()],
        "count": [3],
        "share": [0.5],
        "flag": [1],
        "box": [1.0, 2.0],
        "none": [],
    }


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\x05abc", b"\x0b", b"\x0a\x02\x0a\x09", b"\x08" + b"\xff" * 11])
def test_other_bytes_are_no_example(data: bytes) -> None:
    with pytest.raises(BadExample):
        decode_example(data)


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(BadExample):
        decode_example(data)


def test_unpacked_numbers_are_read_as_well() -> None:
    # {"a": int64 [1, 2]} with one field for each number, as an old writer may do.
    integers = bytes.fromhex("1a0408010802")
    entry = b"\x0a\x01a\x12" + bytes([len(integers)]) + integers
    features = b"\x0a" + bytes([len(entry)]) + entry
    assert decode_example(b"\x0a" + bytes([len(features)]) + features) == {"a": [1, 2]}
