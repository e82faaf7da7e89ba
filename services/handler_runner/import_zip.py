"""Looks into a zip file that somebody else made, refuses what is dangerous or broken by name, and unpacks one file.

Nothing is ever written under a name that the zip file gives; such names are refused all the same, because whoever
made them meant harm or made a mistake.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO

from handler_runner.printable import printable
from handler_runner.zip_format import ZIP64_BYTES

MAX_MEMBERS = 100_000
# Deflate makes one byte of 1,032 at most; photos and masks in records come nowhere near this.
MAX_RATIO = 100
# Below it no ratio is suspicious: a few files of zeros fit on any disk.
FREE_BYTES = 64 << 20
# Names and facts of MAX_MEMBERS files with long names.
MAX_DIRECTORY_BYTES = 64 << 20

_CHUNK_BYTES = 1 << 20
_KNOWN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_END = struct.Struct("<4s4H2LH")
_END_SEARCH_BYTES = _END.size + 0xFFFF
_ZIP64_END = struct.Struct("<4sQ2H2L4Q")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error, ValueError)


class BadArchive(Exception):
    """The zip file will not be taken; the message names the file in it and what would do."""


@dataclass(frozen=True)
class Member:
    """One TFRecord file of the zip file."""

    name: str
    size_bytes: int


def members(file: IO[bytes]) -> list[Member]:
    """Return the TFRecord files, in the order in which people count them. Raises `BadArchive`."""
    with opened(file) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
    # What belongs to no dataset is not looked at, except for being dangerous.
    for info in infos:
        _check_name(info)
    records = [info for info in infos if _is_records(info.filename)]
    if not records:
        held = ", ".join(_shown(info.filename) for info in infos[:5]) or "nothing"
        raise BadArchive(f"it holds no .tfrecord file, but {held}")
    for info in records:
        _check_member(info)
    _check_together(infos, records)
    found = [Member(info.filename, info.file_size) for info in records]
    return sorted(found, key=lambda member: _natural(member.name))


def unpack(archive: zipfile.ZipFile, member: Member, target: Path, cancelled: Callable[[], bool]) -> None:
    """Write one file's bytes, checked against its size and checksum. Raises `BadArchive`, and OSError of the target.

    Errors of the file under the archive rise as they are.
    """
    try:
        with archive.open(member.name) as source, target.open("wb") as written:
            while chunk := source.read(_CHUNK_BYTES):
                if cancelled():
                    return
                written.write(chunk)
            size_bytes = written.tell()
    except _BROKEN as error:
        raise BadArchive(f"{_shown(member.name)} is broken: {error}") from error
    if size_bytes != member.size_bytes:
        raise BadArchive(f"{_shown(member.name)} has {size_bytes} bytes in place of {member.size_bytes}")


def opened(file: IO[bytes]) -> zipfile.ZipFile:
    """Return the zip file, its directory read. Raises `BadArchive`."""
    try:
        _check_directory(file)
        file.seek(0)
        return zipfile.ZipFile(file)
    except _BROKEN as error:
        raise BadArchive(f"it is no whole zip file: {error}") from error


def _check_directory(file: IO[bytes]) -> None:
    """Refuse a directory that would fill the memory, before it is read."""
    end = file.seek(0, 2)
    file.seek(max(0, end - _END_SEARCH_BYTES))
    tail = file.read(_END_SEARCH_BYTES)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        raise BadArchive("it is no zip file, or its end is cut off")
    _, _, _, _, count, directory_bytes, offset, _ = _END.unpack_from(tail, at)
    if 0xFFFF in (count,) or ZIP64_BYTES in (directory_bytes, offset):
        place = at - _ZIP64_LOCATOR.size
        if place >= 0 and tail[place : place + 4] == b"PK\6\7":
            file.seek(_ZIP64_LOCATOR.unpack_from(tail, place)[2])
            _, _, _, _, _, _, _, count, directory_bytes, _ = _ZIP64_END.unpack(file.read(_ZIP64_END.size))
    if count > MAX_MEMBERS:
        raise BadArchive(f"it holds {count:,} files; at most {MAX_MEMBERS:,} are taken")
    if directory_bytes > MAX_DIRECTORY_BYTES:
        raise BadArchive(f"its directory has {directory_bytes:,} bytes; at most {MAX_DIRECTORY_BYTES:,} are read")


def _check_name(info: zipfile.ZipInfo) -> None:
    if info.header_offset < 0:
        raise BadArchive(f"it is no whole zip file: {_shown(info.filename)} begins before it")
    # `orig_filename` is what the zip file says before anything was made of it.
    name = info.orig_filename
    parts = re.split(r"[/\\]", name)
    if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise BadArchive(f"{_shown(name)} leads out of the archive; names inside it would do")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise BadArchive(f"{_shown(name)} is a link; the file itself would do")


def _check_member(info: zipfile.ZipInfo) -> None:
    name = _shown(info.filename)
    if info.flag_bits & 0x1:
        raise BadArchive(f"{name} is encrypted; an archive without a password would do")
    if info.compress_type not in _KNOWN:
        raise BadArchive(f"{name} is compressed by method {info.compress_type}; stored or deflated would do")
    if info.file_size >= ZIP64_BYTES:
        raise BadArchive(f"{name} has {info.file_size:,} bytes; files under 4 GiB would do: split it")
    if info.file_size > FREE_BYTES and info.file_size > MAX_RATIO * info.compress_size:
        raise BadArchive(
            f"{name} would grow from {info.compress_size:,} to {info.file_size:,} bytes, more than {MAX_RATIO} times; "
            "an archive without compression would do"
        )


def _check_together(infos: Sequence[zipfile.ZipInfo], records: Sequence[zipfile.ZipInfo]) -> None:
    names = sorted(info.filename for info in records)
    for name, following in pairwise(names):
        if name == following:
            raise BadArchive(f"{_shown(name)} is there twice")
    packed, unpacked = sum(info.compress_size for info in records), sum(info.file_size for info in records)
    if unpacked > FREE_BYTES and unpacked > MAX_RATIO * packed:
        raise BadArchive(
            f"its files would grow from {packed:,} to {unpacked:,} bytes, more than {MAX_RATIO} times; "
            "an archive without compression would do"
        )
    ordered = sorted(infos, key=lambda info: info.header_offset)
    for info, behind in pairwise(ordered):
        # One piece of compressed data that many files share makes much of little.
        if info.header_offset + info.compress_size > behind.header_offset:
            raise BadArchive(f"{_shown(info.filename)} and {_shown(behind.filename)} share bytes")


def _is_records(name: str) -> bool:
    parts = name.split("/")
    return name.lower().endswith((".tfrecord", ".tfrecords")) and not any(
        part.startswith(".") or part == "__MACOSX" for part in parts
    )


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Order `part-2` before `part-10`."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name)]


def _shown(name: str) -> str:
    return repr(printable(name[:200]))
