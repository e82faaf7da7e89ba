"""CRC-32C (Castagnoli), the checksum of a TFRecord: Google's C library where it is, a table in Python where not."""

from __future__ import annotations

from typing import Callable, List


def _table() -> List[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _table()


def crc32c_python(data: bytes) -> int:
    """Returns the CRC-32C of ``data``, slowly (about 10 MB/s)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _fastest() -> Callable[[bytes], int]:
    try:
        import google_crc32c
    except ImportError:
        return crc32c_python
    # Without its C part the library would be a slower table than ours, and warn at each import.
    return google_crc32c.value if google_crc32c.implementation == "c" else crc32c_python


crc32c = _fastest()
"""Returns the CRC-32C of some bytes."""


def masked_crc32c(data: bytes) -> int:
    """Returns the checksum as TFRecord stores it: rotated and offset, so that a checksum of checksums stays sound."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
