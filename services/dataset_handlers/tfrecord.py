"""TFRecord files, written and read without TensorFlow: a length, its checksum, the record, its checksum."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO, Iterator, Union

from dataset_handlers.crc32c import masked_crc32c

_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_HEAD_BYTES = _LENGTH.size + _CHECKSUM.size


class BadTFRecord(ValueError):
    """A file is no whole TFRecord file; says which file, at which byte, and what is wrong there."""

    def __init__(self, path: object, offset: int, reason: str) -> None:
        self.path, self.offset, self.reason = str(path), offset, reason
        super().__init__(f"{path}: {reason} at byte {offset}")


def write_record(file: BinaryIO, record: bytes) -> None:
    """Appends one record to ``file``."""
    length = _LENGTH.pack(len(record))
    checksums = _CHECKSUM.pack(masked_crc32c(length)), _CHECKSUM.pack(masked_crc32c(record))
    file.write(b"".join((length, checksums[0], record, checksums[1])))


def read_records(path: Union[str, Path]) -> Iterator[bytes]:
    """Yields each record of a file, checked; raises ``BadTFRecord`` at the first that is not whole."""
    with open(path, "rb", buffering=1 << 20) as file:
        size_bytes = os.fstat(file.fileno()).st_size
        offset = 0
        while True:
            head = file.read(_HEAD_BYTES)
            if not head:
                return
            if len(head) < _HEAD_BYTES:
                raise BadTFRecord(path, offset, "the file ends inside a record's length")
            if masked_crc32c(head[: _LENGTH.size]) != _CHECKSUM.unpack_from(head, _LENGTH.size)[0]:
                hint = " (compressed files are not supported)" if head[:2] == b"\x1f\x8b" else ""
                raise BadTFRecord(path, offset, f"no TFRecord begins{hint}")
            length = _LENGTH.unpack_from(head)[0]
            # Before the read, or a wild length would ask for all memory.
            if offset + _HEAD_BYTES + length + _CHECKSUM.size > size_bytes:
                raise BadTFRecord(path, offset, "the file ends inside a record")
            record = file.read(length)
            checksum = file.read(_CHECKSUM.size)
            if len(checksum) < _CHECKSUM.size or masked_crc32c(record) != _CHECKSUM.unpack(checksum)[0]:
                raise BadTFRecord(path, offset, "a record does not match its checksum")
            yield record
            offset += _HEAD_BYTES + length + _CHECKSUM.size


def count_records(path: Union[str, Path]) -> int:
    """Returns how many records a file holds, all of them checked; raises ``BadTFRecord``."""
    return sum(1 for _ in read_records(path))
