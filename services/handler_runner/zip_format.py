"""Packs the records of a zip file that holds stored entries: APPNOTE.TXT 6.3.10 §4.3, always the same bytes.

Every entry has the same moment and rights and no extra field, so nothing but names and contents decides the bytes.
Entries stay under 4 GiB, so only the central directory ever needs ZIP64.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from service_kit.errors import InvalidArgument

# These values themselves mean "see the ZIP64 record".
ZIP64_BYTES = 0xFFFFFFFF
ZIP64_ENTRIES = 0xFFFF

_VERSION_PLAIN = 20
_VERSION_ZIP64 = 45
_MADE_BY = (3 << 8) | 30  # Unix, specification 3.0
_REGULAR_FILE = 0o100644 << 16
_MIDNIGHT = 0
_FIRST_OF_JANUARY_1980 = (1 << 5) | 1

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_CENTRAL_HEADER = struct.Struct("<4s6H3L5H2L")
_ZIP64_OFFSET = struct.Struct("<2HQ")
_ZIP64_END = struct.Struct("<4sQ2H2L4Q")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")


class EntryTooLarge(InvalidArgument):
    """A file has 4 GiB or more, which a zip entry without ZIP64 cannot hold."""

    reason = "ENTRY_TOO_LARGE"

    def __init__(self, name: str, size_bytes: int) -> None:
        super().__init__(
            f"{name} has {size_bytes} bytes; a file in the archive must stay under 4 GiB: put fewer examples into each"
        )


def local_header(name: str, size_bytes: int, crc32: int) -> bytes:
    """Return what stands before the file's bytes. Raises `EntryTooLarge`."""
    if size_bytes >= ZIP64_BYTES:
        raise EntryTooLarge(name, size_bytes)
    encoded = name.encode("ascii")
    return _LOCAL_HEADER.pack(b"PK\3\4", _VERSION_PLAIN, *_facts(size_bytes, crc32, len(encoded)), 0) + encoded


def local_header_bytes(name: str) -> int:
    """Return the length of the file's local header."""
    return _LOCAL_HEADER.size + len(name)


def central_header(name: str, size_bytes: int, crc32: int, offset: int) -> bytes:
    """Return the file's record in the central directory; `offset` is where its local header begins."""
    encoded = name.encode("ascii")
    extra = _ZIP64_OFFSET.pack(1, 8, offset) if offset >= ZIP64_BYTES else b""
    versions = _MADE_BY, _VERSION_ZIP64 if extra else _VERSION_PLAIN
    place = len(extra), 0, 0, 0, _REGULAR_FILE, min(offset, ZIP64_BYTES)
    header = _CENTRAL_HEADER.pack(b"PK\1\2", *versions, *_facts(size_bytes, crc32, len(encoded)), *place)
    return header + encoded + extra


def end_of_archive(entry_count: int, directory_offset: int, directory_bytes: int) -> bytes:
    """Return what follows the central directory, with the ZIP64 records if one of the numbers needs them."""
    counts = (min(entry_count, ZIP64_ENTRIES),) * 2
    place = min(directory_bytes, ZIP64_BYTES), min(directory_offset, ZIP64_BYTES)
    end = _END.pack(b"PK\5\6", 0, 0, *counts, *place, 0)
    if entry_count < ZIP64_ENTRIES and max(directory_bytes, directory_offset) < ZIP64_BYTES:
        return end
    # The record's own size leaves out its signature and this size.
    sizes = (_ZIP64_END.size - 12, _MADE_BY, _VERSION_ZIP64, 0, 0, entry_count, entry_count)
    zip64_end = _ZIP64_END.pack(b"PK\6\6", *sizes, directory_bytes, directory_offset)
    return zip64_end + _ZIP64_LOCATOR.pack(b"PK\6\7", 0, directory_offset + directory_bytes, 1) + end


def _facts(size_bytes: int, crc32: int, name_bytes: int) -> Sequence[int]:
    """Return what local and central headers share: no flags, stored, when, what, no more than a name."""
    return 0, 0, _MIDNIGHT, _FIRST_OF_JANUARY_1980, crc32, size_bytes, size_bytes, name_bytes
