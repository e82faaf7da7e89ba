"""Decodes photos and writes them back as they came: depth, transparency, colour profile, EXIF, compression."""

from __future__ import annotations

import mmap
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt

from inpainting import codec_jpeg, codec_png, codec_tiff, codec_webp, jpeg_splice
from inpainting.image_header import FORMATS, MAX_PIXELS, check_header
from inpainting.photo import Photo
from service_kit.errors import InvalidArgument

_SUFFIXES = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".tif": "tiff", ".tiff": "tiff", ".webp": "webp"}
_CODECS: dict[str, ModuleType] = {"jpeg": codec_jpeg, "png": codec_png, "tiff": codec_tiff, "webp": codec_webp}


def decode(data: bytes | bytearray | memoryview, max_pixels: int = MAX_PIXELS, field: str = "photo") -> Photo:
    """Return the photo, upright. Raises `BadPhoto` and `PhotoTooLarge`, which name the field.

    The number of pixels is read from the header before anything is decoded.
    """
    whole = bytes(data)
    header = check_header(whole, max_pixels, field)
    photo: Photo = _CODECS[header.format].decode(whole, header, field)
    return photo


def decode_file(path: Path, max_pixels: int = MAX_PIXELS, field: str = "photo") -> Photo:
    """Return the photo of a file, of which only the header is read if it is refused."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return decode(b"", max_pixels, field)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            check_header(mapped, max_pixels, field)
        return decode(file.read(), max_pixels, field)


def encode(photo: Photo, format: str | None = None, changed: npt.NDArray[np.bool_] | None = None) -> bytes:
    """Return the photo as a file: in its own format as it was compressed, or in another one.

    `changed` `(height, width)` marks all pixels that are not as they were decoded. With it a JPEG's other blocks stay
    exactly as they were.

    JPEG has the source's quantisation and subsampling, PNG, TIFF and lossless WebP change no pixel. Another format
    keeps the colour profile, EXIF and XMP, and what it can of depth and transparency: JPEG and WebP have 8 bits, JPEG
    no transparency. Raises InvalidArgument for an unknown format, and for photos that the format cannot hold.
    """
    wanted = format or photo.format
    if wanted not in _CODECS:
        raise InvalidArgument.of([("format", f"no format {wanted!r}; there are {', '.join(FORMATS)}")])
    if wanted == "jpeg":
        return codec_jpeg.encode(photo, changed)
    encoded: bytes = _CODECS[wanted].encode(photo)
    return encoded


def warm_up() -> None:
    """Compile what codecs need compiled: some seconds once on a machine, then some tenths."""
    jpeg_splice.warm_up()


def format_of(path: Path, field: str = "format") -> str:
    """Return the format of a file's name. Raises InvalidArgument."""
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None:
        known = ", ".join(_SUFFIXES)
        raise InvalidArgument.of([(field, f"the name {path.name!r} tells no format; names end in {known}")])
    return found
