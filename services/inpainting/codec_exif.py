"""Reads the orientation of an EXIF block and resets it, and takes the preview out: it still shows what was removed."""

from __future__ import annotations

import re
import struct
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from inpainting.codec_ifd import EXIF, BadDirectory, Header, numbers, read_directory, read_header

ORIENTATION = 0x0112
_PREVIEW_OFFSET, _PREVIEW_LENGTH = 0x0201, 0x0202
_WIDTH, _HEIGHT = 0xA002, 0xA003

Value = TypeVar("Value", bound=np.generic)

_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>)\s*)([1-8])")
_XMP_PREVIEWS = re.compile(rb"<(xmp|xap):Thumbnails>.*?</\1:Thumbnails>|\s(?:xmp|xap)GImg:image=\"[^\"]*\"", re.DOTALL)


def orientation(exif: bytes) -> int:
    """Return 1 to 8; 1 (upright) for anything else."""
    try:
        header = read_header(exif)
        entry = read_directory(exif, header, header.first).entries.get(ORIENTATION)
    except BadDirectory:
        return 1
    values = numbers(entry, header.order) if entry else ()
    return values[0] if len(values) == 1 and 1 <= values[0] <= 8 else 1


def reset(exif: bytes, width: int, height: int) -> bytes | None:
    """Return the block for the upright photo of this size: orientation 1, no preview; None if it is damaged.

    It is changed in place and nothing moves: makers' notes hold offsets of their own.
    """
    block = bytearray(exif)
    try:
        header = read_header(block)
        first = read_directory(block, header, header.first)
        if ORIENTATION in first.entries:
            _set(block, header, first.entries[ORIENTATION].entry_offset, 3, 1)
        if EXIF in first.entries:
            below = read_directory(block, header, numbers(first.entries[EXIF], header.order)[0])
            for tag, value in ((_WIDTH, width), (_HEIGHT, height)):
                if tag in below.entries:
                    _set(block, header, below.entries[tag].entry_offset, 4, value)
        if first.next:
            _drop_preview(block, header, first.next)
            block[first.next_offset : first.next_offset + 4] = bytes(4)
    except (BadDirectory, IndexError):
        return None
    return bytes(block)


def reset_xmp(xmp: bytes) -> bytes:
    """Return the packet with orientation 1 and without previews."""
    return _XMP_PREVIEWS.sub(b"", _XMP_ORIENTATION.sub(rb"\g<1>1", xmp))


def upright(array: npt.NDArray[Value], turn: int) -> npt.NDArray[Value]:
    """Return the array `(height, width, ...)` as an EXIF orientation says it is to be seen."""
    if turn in (2, 3):
        array = array[:, ::-1]
    if turn in (3, 4):
        array = array[::-1]
    if turn >= 5:
        array = array.swapaxes(0, 1)
        if turn in (6, 7):
            array = array[:, ::-1]
        if turn in (7, 8):
            array = array[::-1]
    return np.ascontiguousarray(array)


def _set(block: bytearray, header: Header, at: int, kind: int, value: int) -> None:
    # A LONG and a SHORT of one value both fit into the entry itself.
    text = struct.pack(header.order + ("H2x" if kind == 3 else "I"), value)
    block[at + 2 : at + 12] = struct.pack(header.order + "HI", kind, 1) + text


def _drop_preview(block: bytearray, header: Header, offset: int) -> None:
    preview = read_directory(block, header, offset).entries
    if _PREVIEW_OFFSET in preview and _PREVIEW_LENGTH in preview:
        begin = numbers(preview[_PREVIEW_OFFSET], header.order)[0]
        end = min(len(block), begin + numbers(preview[_PREVIEW_LENGTH], header.order)[0])
        if end == len(block):
            del block[begin:]
        else:
            block[begin:end] = bytes(max(0, end - begin))
