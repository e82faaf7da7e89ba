"""The checksum is that of RFC 3720, with or without Google's library."""

from __future__ import annotations

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_handlers.crc32c import crc32c, crc32c_python, masked_crc32c


@pytest.mark.parametrize(
    ("data", "checksum"),
    # RFC 3720, B.4.
    [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)],
)
def test_known_checksums(data: bytes, checksum: int) -> None:
    assert crc32c(data) == crc32c_python(data) == checksum


@given(st.binary(max_size=300))
def test_the_table_agrees_with_googles_library(data: bytes) -> None:
    assert crc32c_python(data) == google_crc32c.value(data)


def test_the_c_library_is_used_where_it_is() -> None:
    assert google_crc32c.implementation == "c"
    assert crc32c is google_crc32c.value


def test_the_mask_is_tensorflows() -> None:
    # Of the length 0 that begins an empty record, as TensorFlow writes it.
    assert masked_crc32c(bytes(8)).to_bytes(4, "little") == bytes.fromhex("29039807")
