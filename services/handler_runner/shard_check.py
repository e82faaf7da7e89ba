"""Checks a finished shard as data, in one pass: TFRecord frames, their checksums, and the digests of the file."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

_CHUNK_BYTES = 1024 * 1024
_HEADER_BYTES = 12
_FOOTER_BYTES = 4


@dataclass(frozen=True)
class ShardFile:
    """The facts of a shard's bytes."""

    size_bytes: int
    sha256: str
    crc32: int
    record_count: int


class NotTFRecords(Exception):
    """The file's bytes are no sequence of TFRecord frames; the message says where and how."""


def check_shard(path: Path) -> ShardFile:
    """Read the file once. Raises `NotTFRecords`, and OSError when it cannot be read."""
    frames, digest, crc32, size_bytes = _Frames(), hashlib.sha256(), 0, 0
    with path.open("rb", buffering=0) as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            digest.update(chunk)
            crc32 = zlib.crc32(chunk, crc32)
            size_bytes += len(chunk)
            frames.feed(chunk)
    return ShardFile(size_bytes, digest.hexdigest(), crc32, frames.end())


class _Frames:
    """Follows the frames over chunks of any size: length, its checksum, payload, its checksum."""

    def __init__(self) -> None:
        self._offset = 0
        self._count = 0
        self._small = b""
        self._payload_left = 0
        self._payload_crc = 0
        self._in_payload = False
        self._wanted = _HEADER_BYTES

    def feed(self, chunk: bytes) -> None:
        position, view = 0, memoryview(chunk)
        while position < len(chunk):
            if self._in_payload:
                piece = bytes(view[position : position + self._payload_left])
                self._payload_crc = google_crc32c.extend(self._payload_crc, piece)
                self._payload_left -= len(piece)
                position += len(piece)
                if self._payload_left == 0:
                    self._in_payload, self._wanted = False, _FOOTER_BYTES
                continue
            piece = chunk[position : position + self._wanted - len(self._small)]
            self._small += piece
            position += len(piece)
            if len(self._small) == self._wanted:
                self._header() if self._wanted == _HEADER_BYTES else self._footer()
                self._small = b""

    def end(self) -> int:
        if self._in_payload or self._small or self._wanted != _HEADER_BYTES:
            raise NotTFRecords(f"record {self._count}, which begins at byte {self._offset}, is cut off")
        return self._count

    def _header(self) -> None:
        length, stated = int.from_bytes(self._small[:8], "little"), int.from_bytes(self._small[8:], "little")
        if _masked(google_crc32c.value(self._small[:8])) != stated:
            raise NotTFRecords(f"no TFRecord begins at byte {self._offset}: the checksum of its length is wrong")
        self._payload_left, self._payload_crc, self._in_payload = length, 0, length > 0
        if length == 0:
            self._wanted = _FOOTER_BYTES
        self._length = length

    def _footer(self) -> None:
        if _masked(self._payload_crc) != int.from_bytes(self._small, "little"):
            raise NotTFRecords(f"record {self._count} at byte {self._offset} is damaged: its checksum is wrong")
        self._offset += _HEADER_BYTES + self._length + _FOOTER_BYTES
        self._count += 1
        self._wanted = _HEADER_BYTES


def _masked(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
