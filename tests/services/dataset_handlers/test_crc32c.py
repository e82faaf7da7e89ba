"""The checksum is that of RFC 3720, with or without Google's library."""

from __future__ import annotations

import random
import subprocess
import sys

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_handlers.crc32c import crc32c, crc32c_numpy, masked_crc32c


@pytest.mark.parametrize(
    ("data", "checksum"),
    # RFC 3720, B.4.
    [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)],
)
def test_known_checksums(data: bytes, checksum: int) -> None:
    assert crc32c(data) == crc32c_numpy(data) == checksum


@given(st.binary(max_size=300), st.integers(0, 20))
def test_the_tables_agree_with_googles_library(data: bytes, repeats: int) -> None:
    assert crc32c_numpy(data * repeats) == google_crc32c.value(data * repeats)


@pytest.mark.parametrize("length", [1, 255, 256, 257, 512, 100_000])
def test_blocks_of_every_length_agree(length: int) -> None:
    data = random.Random(length).randbytes(length)
    assert crc32c_numpy(data) == google_crc32c.value(data)


@pytest.mark.parametrize("missing", ["gone", "slow"])
def test_without_the_c_library_there_is_no_warning(missing: str) -> None:
    script = f"""
import sys, types, warnings
warnings.simplefilter("error")
slow = types.ModuleType("google_crc32c")
slow.implementation = "python"
sys.modules["google_crc32c"] = None if {missing!r} == "gone" else slow
from dataset_handlers import crc32c
assert crc32c.crc32c is crc32c.crc32c_numpy
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_c_library_is_used_where_it_is() -> None:
    assert google_crc32c.implementation == "c"
    assert crc32c is google_crc32c.value


def test_the_mask_is_tensorflows() -> None:
    # Of the length 0 that begins an empty record, as TensorFlow writes it.
    assert masked_crc32c(bytes(8)).to_bytes(4, "little") == bytes.fromhex("29039807")
