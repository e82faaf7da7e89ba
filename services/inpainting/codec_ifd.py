"""Reads and writes the directories of TIFF files and EXIF blocks (TIFF 6.0, section 2; BigTIFF read only)."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
_POINTERS = (EXIF, GPS, INTEROPERABILITY)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_MOST_ENTRIES = 4096


class BadDirectory(ValueError):
    """The structure is cut off or points outside itself."""


Readable: TypeAlias = bytes | bytearray | mmap.mmap


@dataclass(frozen=True)
class Entry:
    """One tag."""

    tag: int
    kind: int
    """TIFF's type: 2 text, 3 SHORT, 4 LONG, ..."""
    count: int
    value: bytes
    """In the byte order of its file."""
    value_offset: int = 0
    """Where the value lies in the file."""
    entry_offset: int = 0


@dataclass(frozen=True)
class Header:
    """How a structure is to be read, and where its first directory is."""

    order: str
    """`<` or `>`, as `struct` has it."""
    big: bool
    first: int


@dataclass(frozen=True)
class Directory:
    """The tags of one directory and where the next one is (0: none)."""

    entries: dict[int, Entry]
    next: int
    next_offset: int
    """Where `next` itself is written."""


def read_header(data: Readable) -> Header:
    """Raises `BadDirectory` for anything but TIFF."""
    start = bytes(data[:16])
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None or len(start) < 8:
        raise BadDirectory("no TIFF structure")
    magic = struct.unpack_from(order + "H", start, 2)[0]
    if magic == 42:
        return Header(order, False, struct.unpack_from(order + "I", start, 4)[0])
    if magic == 43 and len(start) == 16:
        return Header(order, True, struct.unpack_from(order + "Q", start, 8)[0])
    raise BadDirectory("no TIFF structure")


def read_directory(data: Readable, header: Header, offset: int) -> Directory:
    """Return the directory at an offset; tags that point outside are left out. Raises `BadDirectory`."""
    count_format, entry_format, offset_format = ("Q", "HHQ8s", "Q") if header.big else ("H", "HHI4s", "I")
    head, size = struct.calcsize(header.order + count_format), struct.calcsize(header.order + entry_format)
    try:
        count = struct.unpack(header.order + count_format, bytes(data[offset : offset + head]))[0]
        if count > _MOST_ENTRIES:
            raise BadDirectory(f"a directory with {count} entries")
        raw = bytes(data[offset + head : offset + head + count * size])
        entries: dict[int, Entry] = {}
        for place, (tag, kind, number, inline) in enumerate(struct.iter_unpack(header.order + entry_format, raw)):
            length = _SIZES.get(kind, 0) * number
            at = offset + head + place * size
            value_at = at + size - len(inline)
            if length > len(inline):
                value_at = struct.unpack(header.order + offset_format, inline)[0]
            if length and value_at + length <= len(data):
                entries.setdefault(
                    tag, Entry(tag, kind, number, bytes(data[value_at : value_at + length]), value_at, at)
                )
        after = offset + head + count * size
        if len(raw) < count * size:
            raise BadDirectory("a directory that is cut off")
        tail = bytes(data[after : after + struct.calcsize(header.order + offset_format)])
        following = struct.unpack(header.order + offset_format, tail)[0] if len(tail) == len(inline_of(header)) else 0
    except struct.error as cut:
        raise BadDirectory("a directory that is cut off") from cut
    return Directory(entries, following, after)


def inline_of(header: Header) -> bytes:
    """Return an empty inline value: 4 bytes, or 8 in BigTIFF."""
    return bytes(8 if header.big else 4)


def numbers(entry: Entry, order: str) -> tuple[int, ...]:
    """Return the value of an entry of whole numbers; of any other kind, nothing."""
    letter = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}.get(entry.kind)
    return struct.unpack(f"{order}{entry.count}{letter}", entry.value) if letter else ()


def number_entry(tag: int, values: Sequence[int], order: str, kind: int = 4) -> Entry:
    """Return an entry of whole numbers, SHORT (3) or LONG (4)."""
    return Entry(tag, kind, len(values), struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values))


Tree = dict[int, "Entry | Tree"]
"""Tags by number; those of `EXIF`, `GPS` and `INTEROPERABILITY` are trees of their own."""


def read_tree(data: Readable, header: Header, offset: int, depth: int = 0) -> Tree:
    """Return a directory with those below it. Raises `BadDirectory` where the first one is damaged."""
    tree: Tree = {}
    for tag, entry in read_directory(data, header, offset).entries.items():
        if tag in _POINTERS:
            places = numbers(entry, header.order)
            if depth < 3 and len(places) == 1:
                try:
                    tree[tag] = read_tree(data, header, places[0], depth + 1)
                except BadDirectory:
                    continue
        else:
            tree[tag] = entry
    return tree


def write_tree(tree: Tree, order: str, offset: int) -> bytes:
    """Return a classic directory, and all that it points to, as it must stand at `offset` (which is even)."""
    size = 2 + 12 * len(tree) + 4
    body = bytearray()
    rows = bytearray(struct.pack(order + "H", len(tree)))
    for tag, item in sorted(tree.items()):
        if len(body) % 2:
            body += b"\0"
        here = offset + size + len(body)
        if isinstance(item, Entry):
            kind, count, value = item.kind, item.count, item.value
            if len(value) <= 4:
                rows += struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")
                continue
        else:
            here += here % 2
            kind, count, value = 4, 1, write_tree(item, order, here)
        rows += struct.pack(order + "HHII", tag, kind, count, here)
        body += value
    return bytes(rows + bytes(4) + body)


def swapped(tree: Tree, order: str, wanted: str) -> Tree:
    """Return the tree with its values in another byte order; opaque ones (kind 7) stay as they are."""
    if order == wanted:
        return tree
    return {
        tag: _swapped(item) if isinstance(item, Entry) else swapped(item, order, wanted) for tag, item in tree.items()
    }


def without(tree: Tree, tags: Iterable[int]) -> Tree:
    """Return the tree without some of its own tags."""
    dropped = set(tags)
    return {tag: item for tag, item in tree.items() if tag not in dropped}


def _swapped(entry: Entry) -> Entry:
    width = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}.get(entry.kind, 1)
    parts = [entry.value[at : at + width][::-1] for at in range(0, len(entry.value), width)]
    return replace(entry, value=b"".join(parts))
