"""WebP in and out: lossless ones stay lossless, lossy ones keep about their quality."""

from __future__ import annotations

from dataclasses import dataclass

import imagecodecs
import numpy as np

from inpainting import codec_exif
from inpainting.codec_depth import eight_bits
from inpainting.codec_webp_quality import lossy_quality
from inpainting.image_header import ImageHeader
from inpainting.photo import BadPhoto, Metadata, Photo
from service_kit.errors import InvalidArgument

LARGEST_SIDE_PX = 16_383
DEFAULT_QUALITY = 95
"""For photos that were no WebP."""


_PICTURE = (b"ALPH", b"VP8 ", b"VP8L")


@dataclass(frozen=True)
class Original:
    """How a WebP was compressed."""

    quality: int | None
    """1 to 100 of the lossy kind; None: lossless."""


def decode(data: bytes, header: ImageHeader, field: str) -> Photo:
    """Return the photo, upright. Raises `BadPhoto`."""
    try:
        chunks = _chunks(memoryview(data))
        values = imagecodecs.webp_decode(data)
    except (ValueError, imagecodecs.WebpError) as damaged:
        raise BadPhoto.of([(field, f"this WebP is damaged or cut off: {damaged}")]) from damaged
    if values.shape[:2] != (header.height, header.width):
        raise BadPhoto.of([(field, "this WebP's header and its picture have different sizes")])
    exif = chunks.get(b"EXIF")
    exif = exif.removeprefix(b"Exif\0\0") if exif else None
    values = codec_exif.upright(values, codec_exif.orientation(exif) if exif else 1)
    alpha = np.ascontiguousarray(values[:, :, 3]) if values.shape[2] == 4 else None
    pixels = np.ascontiguousarray(values[:, :, :3])
    xmp = chunks.get(b"XMP ")
    metadata = Metadata(
        chunks.get(b"ICCP"),
        codec_exif.reset(exif, pixels.shape[1], pixels.shape[0]) if exif else None,
        codec_exif.reset_xmp(xmp) if xmp else None,
    )
    quality = lossy_quality(chunks[b"VP8 "]) if b"VP8 " in chunks else None
    return Photo(pixels, alpha, metadata, "webp", Original(quality))


def encode(photo: Photo) -> bytes:
    """Return a WebP; of a lossless WebP's photo a lossless one."""
    if max(photo.width, photo.height) > LARGEST_SIDE_PX:
        raise InvalidArgument.of([("format", f"a WebP has at most {LARGEST_SIDE_PX} pixels on a side")])
    values = np.broadcast_to(eight_bits(photo.pixels), (photo.height, photo.width, 3))
    if photo.alpha is not None:
        values = np.concatenate([values, eight_bits(photo.alpha)[:, :, None]], axis=2)
    quality = photo.original.quality if isinstance(photo.original, Original) else DEFAULT_QUALITY
    values = np.ascontiguousarray(values)
    if quality is None:
        # Of a lossless one the level is effort.
        encoded = imagecodecs.webp_encode(values, level=60, lossless=True)
    else:
        encoded = imagecodecs.webp_encode(values, level=quality, lossless=False)
    return _with_metadata(bytes(encoded), photo)


def _with_metadata(encoded: bytes, photo: Photo) -> bytes:
    """Return the file in the extended form, which has room for profile, EXIF and XMP."""
    metadata = photo.metadata
    if not (metadata.icc or metadata.exif or metadata.xmp):
        return encoded
    picture = {name: body for name, body in _chunks(memoryview(encoded)).items() if name in _PICTURE}
    alpha = b"ALPH" in picture or (b"VP8L" in picture and photo.alpha is not None)
    flags = 0x20 * bool(metadata.icc) | 0x10 * alpha | 0x08 * bool(metadata.exif) | 0x04 * bool(metadata.xmp)
    size = (photo.width - 1).to_bytes(3, "little") + (photo.height - 1).to_bytes(3, "little")
    before = {b"VP8X": bytes([flags, 0, 0, 0]) + size, b"ICCP": metadata.icc}
    after = {b"EXIF": metadata.exif, b"XMP ": metadata.xmp}
    chunks = b"".join(_chunk(name, body) for name, body in (before | picture | after).items() if body)
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)


def _chunks(data: memoryview) -> dict[bytes, bytes]:
    """Return the first chunk of each name. Raises ValueError for a file that ends early."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise ValueError("it ends early")
    found: dict[bytes, bytes] = {}
    offset = 12
    while offset + 8 <= end:
        name, length = bytes(data[offset : offset + 4]), int.from_bytes(data[offset + 4 : offset + 8], "little")
        if offset + 8 + length > end:
            raise ValueError("it ends early")
        found.setdefault(name, bytes(data[offset + 8 : offset + 8 + length]))
        offset += 8 + length + length % 2
    return found
