"""Reads an image's format, size and orientation from its first bytes, before anything is decoded."""

from __future__ import annotations

import struct
from typing import NamedTuple, Optional


class ImageHeader(NamedTuple):
    """What the first bytes say."""

    format: str
    height: int
    width: int
    channels: int
    """As decoded in colour or grey; 0: unknown."""
    orientation: int = 1
    """EXIF orientation, 1 to 8."""
    scan_offset: int = 0
    """Of a JPEG: where its compressed data begins."""

    @property
    def upright(self) -> "tuple[int, int]":
        """(height, width) once the orientation is applied."""
        return (self.width, self.height) if self.orientation >= 5 else (self.height, self.width)


def read_header(data: bytes) -> Optional[ImageHeader]:
    """Returns the header of a JPEG, PNG, GIF, BMP or WebP; None for anything else, and for one that is cut off."""
    try:
        if data[:3] == b"\xff\xd8\xff":
            return _jpeg(data)
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            width, height, _, colour = struct.unpack_from(">IIBB", data, 16)
            return ImageHeader("png", height, width, {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(colour, 0))
        if data[:4] == b"GIF8":
            width, height = struct.unpack_from("<HH", data, 6)
            return ImageHeader("gif", height, width, 3)
        if data[:2] == b"BM":
            width, height = struct.unpack_from("<ii", data, 18)
            return ImageHeader("bmp", abs(height), abs(width), 3)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):
        pass
    return None


def _jpeg(data: bytes) -> Optional[ImageHeader]:
    offset, orientation, frame = 2, 1, None
    while offset + 4 <= len(data):
        if data[offset] != 0xFF:
            return None
        marker = data[offset + 1]
        if marker == 0xFF:
            # Fill bytes are allowed before a marker.
            offset += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            offset += 2
            continue
        length = struct.unpack_from(">H", data, offset + 2)[0]
        if marker == 0xE1 and data[offset + 4 : offset + 10] == b"Exif\0\0":
            orientation = _orientation(data[offset + 10 : offset + 2 + length])
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, channels = struct.unpack_from(">HHB", data, offset + 5)
            frame = (height, width, channels)
        elif marker == 0xDA:
            # Start of scan: what follows is compressed.
            return ImageHeader("jpeg", *frame, orientation, offset) if frame else None
        offset += 2 + length
    return None


def _orientation(tiff: bytes) -> int:
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        directory = struct.unpack_from(order + "I", tiff, 4)[0]
        for entry in range(struct.unpack_from(order + "H", tiff, directory)[0]):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * entry)
            if tag == 0x0112 and kind == 3:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _webp(data: bytes) -> Optional[ImageHeader]:
    chunk = data[12:16]
    if chunk == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return ImageHeader("webp", height, width, 4 if data[20] & 0x10 else 3)
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return ImageHeader("webp", height & 0x3FFF, width & 0x3FFF, 3)
    if chunk == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return ImageHeader("webp", ((bits >> 14) & 0x3FFF) + 1, (bits & 0x3FFF) + 1, 4 if bits >> 28 & 1 else 3)
    return None
