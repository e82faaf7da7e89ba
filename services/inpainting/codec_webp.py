"""WebP in and out: lossless ones stay lossless, lossy ones keep about their quality."""

from __future__ import annotations

import io
from dataclasses import dataclass

import imagecodecs
import numpy as np
from PIL import Image

from inpainting import codec_exif
from inpainting.codec_depth import eight_bits
from inpainting.codec_webp_quality import lossy_quality
from inpainting.image_header import ImageHeader
from inpainting.photo import BadPhoto, Metadata, Photo
from service_kit.errors import InvalidArgument

LARGEST_SIDE_PX = 16_383
DEFAULT_QUALITY = 95
"""For photos that were no WebP."""


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
    # `exact` keeps the colours of transparent pixels.
    options: dict[str, object] = {"lossless": quality is None, "quality": 100, "exact": True, "method": 4}
    if quality is None:
        options["quality"] = 60  # Of a lossless one this is effort.
    else:
        options["quality"] = quality
    carried = {"icc_profile": photo.metadata.icc, "exif": photo.metadata.exif, "xmp": photo.metadata.xmp}
    written = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values)).save(
        written, "WEBP", **options, **{name: value for name, value in carried.items() if value}
    )
    return written.getvalue()


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
