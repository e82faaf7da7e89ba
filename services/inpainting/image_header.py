"""Reads from a file's first bytes what it is and how many pixels it has, so that bombs are refused undecoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from inpainting.codec_ifd import BadDirectory, Directory, Header, Readable, numbers, read_directory, read_header
from inpainting.photo import BadPhoto, PhotoTooLarge

MAX_PIXELS = 120_000_000
"""100 megapixels and a margin."""
FORMATS = ("jpeg", "png", "tiff", "webp")

_OTHERS = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"8BPS": "Photoshop",
    b"%PDF": "PDF",
    b"\0\0\1\0": "icon",
    b"\xff\x0a": "JPEG XL",
}
_MOST_PAGES = 64


@dataclass(frozen=True)
class ImageHeader:
    """What the first bytes say."""

    format: str
    width: int
    height: int
    channels: int
    bits: int
    """Of each channel."""
    frames: int = 1
    """Photos in the file; 2 stands for any number above."""


def check_header(data: Readable, max_pixels: int = MAX_PIXELS, field: str = "photo") -> ImageHeader:
    """Return the header of a photo that may be decoded. Raises `BadPhoto`, `PhotoTooLarge`, naming the field."""
    header = read_image_header(data, field)
    if header.width < 1 or header.height < 1:
        raise BadPhoto.of([(field, f"its header says {header.width}x{header.height} pixels")])
    if header.width * header.height > max_pixels:
        raise PhotoTooLarge.of(
            [
                (
                    field,
                    f"it has {header.width}x{header.height} = {header.width * header.height / 1e6:.1f} megapixels;"
                    f" at most {max_pixels / 1e6:g} are taken",
                )
            ]
        )
    if header.frames > 1:
        raise BadPhoto.of([(field, f"this {header.format} file has several pictures; send one at a time")])
    return header


def read_image_header(data: Readable, field: str = "photo") -> ImageHeader:
    """Return the header of a JPEG, PNG, TIFF or WebP. Raises `BadPhoto` for all else and for one cut off."""
    start = bytes(data[:32])
    try:
        if start[:3] == b"\xff\xd8\xff":
            return _jpeg(data)
        if start[:8] == b"\x89PNG\r\n\x1a\n":
            return _png(data)
        if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
            return _webp(start)
        if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return _tiff(data)
    except (struct.error, IndexError, BadDirectory) as cut:
        raise BadPhoto.of([(field, "its header is damaged or cut off")]) from cut
    if not len(data):
        raise BadPhoto.of([(field, "it is empty")])
    other = next((name for magic, name in _OTHERS.items() if start.startswith(magic)), "")
    if start[4:8] == b"ftyp":
        other = "AVIF" if b"avif" in start[8:32] else "HEIC"
    what = f"{other} files are not taken" if other else "it is no image"
    raise BadPhoto.of([(field, f"{what}; JPEG, PNG, TIFF and WebP are")])


def _jpeg(data: Readable) -> ImageHeader:
    offset = 2
    while True:
        marker, length = struct.unpack(">HH", bytes(data[offset : offset + 4]))
        if marker == 0xFFFF:
            # Fill bytes are allowed before a marker.
            offset += 1
        elif marker == 0xFF01 or 0xFFD0 <= marker <= 0xFFD8:
            offset += 2
        elif 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            bits, height, width, channels = struct.unpack(">BHHB", bytes(data[offset + 4 : offset + 10]))
            return ImageHeader("jpeg", width, height, channels, bits)
        elif marker < 0xFF02 or marker == 0xFFDA or length < 2:
            raise BadDirectory("no frame before the scan")
        else:
            offset += 2 + length


def _png(data: Readable) -> ImageHeader:
    kind, width, height, bits, colour = struct.unpack(">4sIIBB", bytes(data[12:26]))
    channels = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(colour)
    if kind != b"IHDR" or channels is None:
        raise BadDirectory("no header chunk")
    offset, frames = 33, 1
    while True:
        # An animation announces itself before the picture's data.
        head = bytes(data[offset : offset + 8])
        if len(head) < 8 or head[4:] in (b"IDAT", b"IEND"):
            break
        if head[4:] == b"acTL":
            frames = 2
        offset += 12 + int(struct.unpack(">I", head[:4])[0])
    return ImageHeader("png", width, height, channels, bits, frames)


def _webp(start: bytes) -> ImageHeader:
    kind = start[12:16]
    if kind == b"VP8X" and len(start) >= 30:
        width, height = (int.from_bytes(start[at : at + 3], "little") + 1 for at in (24, 27))
        return ImageHeader("webp", width, height, 4 if start[20] & 0x10 else 3, 8, 2 if start[20] & 0x02 else 1)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", start, 26)
        return ImageHeader("webp", width & 0x3FFF, height & 0x3FFF, 3, 8)
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", start, 21)[0]
        return ImageHeader("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 4 if bits >> 28 & 1 else 3, 8)
    raise BadDirectory("no known chunk")


def _tiff(data: Readable) -> ImageHeader:
    header = read_header(data)
    first = read_directory(data, header, header.first)
    frames, offset = 0, header.first
    for _ in range(_MOST_PAGES):
        if not offset:
            break
        page = read_directory(data, header, offset)
        # Smaller copies of the photo (bit 0) and masks (bit 2) are no other photos.
        frames += not _number(page, header, 254, 0) & 0b101
        offset = page.next
    return ImageHeader(
        "tiff",
        _number(first, header, 256),
        _number(first, header, 257),
        _number(first, header, 277, 1),
        _number(first, header, 258, 1),
        min(2, max(1, frames)),
    )


def _number(directory: Directory, header: Header, tag: int, default: int | None = None) -> int:
    entry = directory.entries.get(tag)
    values = numbers(entry, header.order) if entry else ()
    if not values:
        if default is None:
            raise BadDirectory(f"no tag {tag}")
        return default
    return values[0]
