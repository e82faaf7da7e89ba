"""JPEG in and out: at the source's own quality, with every segment that the file had."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from inpainting import codec_exif
from inpainting.codec_depth import eight_bits
from inpainting.image_header import ImageHeader
from inpainting.jpeg_quality import JpegQuality, read_jpeg_quality, segments
from inpainting.jpeg_splice import splice
from inpainting.photo import BadPhoto, Metadata, Photo
from service_kit.errors import InvalidArgument

LARGEST_SIDE_PX = 65_500
DEFAULT_QUALITY = 95
"""For photos that were no JPEG, with 4:4:4."""
_MOST_SCANS = 200
_BAND_ROWS = 256

_EXIF, _XMP, _ICC = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_ICC_PART = 65_519
_APP0, _APP1, _APP2, _APP13, _APP14, _COMMENT = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE


@dataclass(frozen=True)
class Original:
    """What only a JPEG can give back."""

    quality: JpegQuality
    segments: tuple[tuple[int, bytes], ...]
    """The file's own application segments and comments, in their order, ready to be written."""
    data: bytes | None = None
    """The file, where its blocks can be kept: it is stored upright."""


def decode(data: bytes, header: ImageHeader, field: str) -> Photo:
    """Return the photo, upright. Raises `BadPhoto`."""
    if header.bits != 8 or header.channels not in (1, 3):
        what = "CMYK" if header.channels == 4 else f"{header.channels} channels of {header.bits} bits"
        raise BadPhoto.of([(field, f"this JPEG has {what}, which could not be written back; convert it to RGB")])
    if data.count(b"\xff\xda") > _MOST_SCANS:
        # Each scan goes over the whole picture: a small file could keep a processor busy for hours.
        raise BadPhoto.of([(field, f"this JPEG has more than {_MOST_SCANS} scans")])
    try:
        quality = read_jpeg_quality(data)
        own, scan_offset = segments(data)
        # Not by `Image.open`, whose own limit of pixels is lower than ours and the whole process's.
        with JpegImageFile(io.BytesIO(_bare(data, own, scan_offset))) as image:
            image.load()
            pixels = _pixels(image)
        del image  # As large as the pixels, and no longer needed.
    except (OSError, ValueError, SyntaxError, EOFError) as damaged:
        raise BadPhoto.of([(field, f"this JPEG is damaged or cut off: {damaged}")]) from damaged
    exif = next((part[len(_EXIF) :] for marker, part in own if marker == _APP1 and part.startswith(_EXIF)), None)
    turn = codec_exif.orientation(exif) if exif else 1
    pixels = codec_exif.upright(pixels, turn)
    size = (pixels.shape[1], pixels.shape[0])
    kept = tuple(segment for segment in (_kept(marker, part, quality, size) for marker, part in own) if segment)
    return Photo(pixels, None, _metadata(kept), "jpeg", Original(quality, kept, data if turn == 1 else None))


def encode(photo: Photo, changed: npt.NDArray[np.bool_] | None = None) -> bytes:
    """Return a JPEG: of a JPEG's photo as that was compressed, else of quality 95 in 4:4:4.

    `changed` `(height, width)` marks all pixels that are not as they were decoded: the blocks of others stay exactly
    as they were, if the file was stored upright and not progressive.
    """
    if max(photo.width, photo.height) > LARGEST_SIDE_PX:
        raise InvalidArgument.of([("format", f"a JPEG has at most {LARGEST_SIDE_PX} pixels on a side")])
    original = photo.original if isinstance(photo.original, Original) else None
    pixels = eight_bits(photo.pixels)
    if original is None or len(original.quality.tables) != pixels.shape[2]:
        encoded = _encoded(pixels, {"quality": DEFAULT_QUALITY, "subsampling": "4:4:4"})
        return _with_segments(encoded, _segments(photo.metadata), keep_own=True)
    options = _options(original.quality)
    spliced = None
    if changed is not None and original.data is not None:
        spliced = splice(original.data, changed, lambda rows, columns: _encoded(pixels[rows, columns], options))
    return _with_segments(spliced or _encoded(pixels, options), original.segments, keep_own=original.quality.rgb)


def _options(quality: JpegQuality) -> dict[str, object]:
    """Return what Pillow is told to compress as the source was."""
    tables = quality.tables[:1] if len(set(quality.tables)) == 1 else quality.tables
    if len(tables) == 3 and tables[1] == tables[2]:
        tables = tables[:2]
    options: dict[str, object] = {"qtables": [list(table) for table in tables], "progressive": quality.progressive}
    if len(quality.tables) == 3:
        options |= {"subsampling": quality.subsampling, "keep_rgb": quality.rgb}
    return options


def _encoded(pixels: npt.NDArray[np.uint8], options: dict[str, object]) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(written, "JPEG", **options)
    return written.getvalue()


def _bare(data: bytes, own: list[tuple[int, bytes]], scan_offset: int) -> bytes:
    """Return the picture alone: what stands beside it is ours to read, and the decoder cannot stumble over it."""
    needed = [(marker, part) for marker, part in own if marker in (_APP0, _APP14) or not _APP0 <= marker <= _COMMENT]
    return b"".join((data[:2], *(_segment(marker, part) for marker, part in needed), memoryview(data)[scan_offset:]))


def _segment(marker: int, part: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(part) + 2).to_bytes(2, "big") + part


def _pixels(image: JpegImageFile) -> npt.NDArray[np.uint8]:
    channels = 1 if image.mode == "L" else 3
    pixels = np.empty((image.height, image.width, channels), np.uint8)
    # In bands, because the conversion copies twice.
    for top in range(0, image.height, _BAND_ROWS):
        bottom = min(image.height, top + _BAND_ROWS)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom))).reshape(-1, image.width, channels)
    return pixels


def _kept(marker: int, part: bytes, quality: JpegQuality, size: tuple[int, int]) -> tuple[int, bytes] | None:
    if not (_APP0 <= marker <= 0xEF or marker == _COMMENT):
        return None
    if marker == _APP0 and not part.startswith(b"JFIF\0"):
        return None  # JFXX is a preview.
    if marker == _APP0 and len(part) >= 14:
        return marker, part[:12] + b"\0\0"  # JFIF can hold a preview, too.
    if marker == _APP1 and part.startswith(_EXIF):
        reset = codec_exif.reset(part[len(_EXIF) :], *size)
        return (marker, _EXIF + reset) if reset else None
    if marker == _APP1 and part.startswith(_XMP):
        return marker, _XMP + codec_exif.reset_xmp(part[len(_XMP) :])
    if marker == _APP2 and part.startswith((b"MPF\0", b"FPXR\0")):
        return None  # Further pictures behind this one, and FlashPix, which holds a preview.
    if marker == _APP13:
        return marker, _without_previews(part)
    if marker == _APP14 and quality.rgb:
        return None  # The encoder writes its own.
    return marker, part


def _without_previews(part: bytes) -> bytes:
    """Return Photoshop's resources without 1033 and 1036, which show the photo as it was."""
    name = b"Photoshop 3.0\0"
    if not part.startswith(name):
        return part
    kept, offset = bytearray(name), len(name)
    for resource in re.finditer(rb"8BIM", part):
        if resource.start() < offset:
            continue
        start = resource.start()
        title = part[start + 6] if start + 6 < len(part) else 0
        head = start + 6 + (title + 2) // 2 * 2
        size = int.from_bytes(part[head : head + 4], "big")
        offset = min(len(part), head + 4 + (size + 1) // 2 * 2)
        if int.from_bytes(part[start + 4 : start + 6], "big") not in (1033, 1036):
            kept += part[start:offset]
    return bytes(kept)


def _metadata(kept: tuple[tuple[int, bytes], ...]) -> Metadata:
    profile = sorted((part[len(_ICC)], part[len(_ICC) + 2 :]) for marker, part in kept if part.startswith(_ICC))
    exif = [part[len(_EXIF) :] for marker, part in kept if marker == _APP1 and part.startswith(_EXIF)]
    xmp = [part[len(_XMP) :] for marker, part in kept if marker == _APP1 and part.startswith(_XMP)]
    return Metadata(b"".join(part for _, part in profile) or None, exif[0] if exif else None, xmp[0] if xmp else None)


def _segments(metadata: Metadata) -> list[tuple[int, bytes]]:
    made = []
    # A segment holds 64 KiB; larger EXIF and XMP of other formats cannot be carried.
    if metadata.exif and len(metadata.exif) < 65_500:
        made.append((_APP1, _EXIF + metadata.exif))
    if metadata.xmp and len(metadata.xmp) < 65_500:
        made.append((_APP1, _XMP + metadata.xmp))
    if metadata.icc:
        parts = [metadata.icc[at : at + _ICC_PART] for at in range(0, len(metadata.icc), _ICC_PART)]
        if len(parts) < 256:
            made += [(_APP2, _ICC + bytes([number, len(parts)]) + part) for number, part in enumerate(parts, 1)]
    return made


def _with_segments(encoded: bytes, wanted: Iterable[tuple[int, bytes]], keep_own: bool) -> bytes:
    """Return the encoder's file with our segments in place of its own, or behind them."""
    offset = 2
    while 0xE0 <= encoded[offset + 1] <= 0xEF:
        offset += 2 + int.from_bytes(encoded[offset + 2 : offset + 4], "big")
    made = b"".join(_segment(marker, part) for marker, part in wanted)
    own = encoded[2:offset] if keep_own else b""
    return b"".join((encoded[:2], own, made, memoryview(encoded)[offset:]))
