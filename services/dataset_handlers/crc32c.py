"""CRC-32C (Castagnoli), the checksum of a TFRecord: Google's C library where it works, NumPy's lookups where not."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any, Callable, Iterator, List, Tuple

_BLOCK_BYTES = 256


def _table() -> List[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _table()


def crc32c_numpy(data: bytes) -> int:
    """Returns the CRC-32C of ``data`` without a C library (100 MB/s and more for large ones)."""
    crc = 0xFFFFFFFF
    whole = len(data) - len(data) % _BLOCK_BYTES
    if whole:
        # A CRC is linear: that of a block is the XOR of what each byte adds at its place, and of what the state before
        # it adds, whose four bytes stand for those of the block's beginning.
        first, second, third, fourth = _block_tables()[1]
        for part in _block_parts(data, whole):
            crc = first[crc & 0xFF] ^ second[crc >> 8 & 0xFF] ^ third[crc >> 16 & 0xFF] ^ fourth[crc >> 24] ^ part
    for byte in data[whole:]:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _block_parts(data: bytes, size_bytes: int) -> Iterator[int]:
    import numpy as np

    tables = _block_tables()[0].ravel()
    rows = np.arange(_BLOCK_BYTES, dtype=np.intp) * 256
    # Some blocks at a time: the lookups take 12 bytes of memory for each byte.
    for start in range(0, size_bytes, 64 * _BLOCK_BYTES):
        length = min(64 * _BLOCK_BYTES, size_bytes - start)
        blocks = np.frombuffer(data, np.uint8, length, start).reshape(-1, _BLOCK_BYTES)
        yield from np.bitwise_xor.reduce(tables.take(blocks + rows), axis=1).tolist()


@lru_cache(maxsize=None)
def _block_tables() -> Tuple[Any, List[List[int]]]:
    """Returns, for each place in a block and each byte, what that byte adds to its CRC; and the first four places."""
    import numpy as np

    tables = np.empty((_BLOCK_BYTES, 256), np.uint32)
    table = np.array(_TABLE, np.uint32)
    # The last byte of a block is followed by nothing, the one before it by one byte of zeros, and so on.
    tables[-1] = table
    for place in range(_BLOCK_BYTES - 2, -1, -1):
        later = tables[place + 1]
        tables[place] = (later >> np.uint32(8)) ^ table[later & np.uint32(0xFF)]
    return tables, tables[:4].tolist()


def _fastest() -> Callable[[bytes], int]:
    try:
        with warnings.catch_warnings():
            # Its complaint about a missing C part is answered here.
            warnings.simplefilter("ignore")
            import google_crc32c
    except ImportError:
        return crc32c_numpy
    return google_crc32c.value if google_crc32c.implementation == "c" else crc32c_numpy


crc32c = _fastest()
"""Returns the CRC-32C of some bytes."""


def masked_crc32c(data: bytes) -> int:
    """Returns the checksum as TFRecord stores it: rotated and offset, so that a checksum of checksums stays sound."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
