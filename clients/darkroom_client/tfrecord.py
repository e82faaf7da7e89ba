"""Finds the records of a TFRecord file without TensorFlow: a length, its checksum, the record, its checksum.

Checksums are not computed here: the file's sha256 was verified when it came into the cache.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from darkroom_client.errors import DataLoss

_LENGTH = struct.Struct("<Q")
HEAD_BYTES = 12
FOOT_BYTES = 4


def read_records(path: Path, start: int = 0, stop: int | None = None) -> Iterator[memoryview]:
    """Yield the records numbered ``start`` to ``stop``, as views into the mapped file. Raises `DataLoss`."""
    if path.stat().st_size == 0:
        return
    with open(path, "rb") as file:
        # Views keep the mapping alive, so it is left to them to close it.
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    view = memoryview(mapped)
    position = number = 0
    while position < len(view) and (stop is None or number < stop):
        end = _end(view, position, path)
        if number >= start:
            yield view[position + HEAD_BYTES : end - FOOT_BYTES]
        position = end
        number += 1


def _end(view: memoryview, position: int, path: Path) -> int:
    if position + HEAD_BYTES <= len(view):
        end: int = position + HEAD_BYTES + _LENGTH.unpack_from(view, position)[0] + FOOT_BYTES
        if end <= len(view):
            return end
    raise DataLoss(f"{path} ends inside the record at byte {position}; `darkroom cache verify` finds what is damaged")
