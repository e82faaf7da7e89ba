"""Reads a photo the way it should be seen, and encodes images for a record."""

from __future__ import annotations

import errno
import os
from typing import Optional, Sequence, Union

import cv2
import numpy as np

from dataset_handlers.errors import BadRawRecord
from dataset_handlers.image import Image
from dataset_handlers.image_header import ImageHeader, read_header

MAX_PIXELS = 120_000_000
"""More than this in one photo is refused before it is decoded: 360 MB of colour."""

# OpenCV 4.10 learnt to give RGB straight from the decoder, at no cost.
_RGB = getattr(cv2, "IMREAD_COLOR_RGB", None)
_REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}


_FAULTS_OF_THE_FILE = (errno.EACCES, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR)


def read_image(
    path: Union[str, "os.PathLike[str]"],
    *,
    channels: int = 3,
    at_least: Optional[Sequence[int]] = None,
    max_pixels: int = MAX_PIXELS,
) -> Image:
    """Returns a photo upright (its EXIF orientation applied) as uint8 ``(height, width, 3)`` RGB.

    ``channels`` 1 gives grey ``(height, width)``; 4 gives RGBA, opaque where the file has no alpha.
    ``at_least`` ``[height, width]`` allows a large JPEG to be decoded at a half, quarter or eighth, as long as both
    sides stay at least so long: much faster where the photo will be scaled down anyway.
    Raises ``BadRawRecord`` for a file that is no whole image, is empty, unreadable, or above ``max_pixels``.
    """
    data = _read_file(path)
    header = read_header(data)
    if header is not None:
        if header.height * header.width > max_pixels:
            raise BadRawRecord(path, f"{header.width}x{header.height} pixels are more than {max_pixels}")
        if header.format == "jpeg" and data.rfind(b"\xff\xd9") < header.scan_offset:
            # Many decoders fill the missing part with grey and say nothing.
            raise BadRawRecord(path, "the JPEG is cut off")
    image = _decode(data, channels, _reduction(header, at_least) if channels == 3 else 1)
    if image is None:
        raise BadRawRecord(path, "is no whole image" if header else "is not an image")
    return image


def encode_jpeg(image: Image, quality: int = 95) -> bytes:
    """Returns RGB or grey as JPEG, 4:2:0; ``quality`` 1 to 100."""
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])


def encode_png(image: Image, compression: int = 1) -> bytes:
    """Returns grey, RGB or RGBA as PNG; ``compression`` 0 (fast, large) to 9."""
    return _encode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, int(compression)])


def decode_image(data: bytes) -> Image:
    """Returns an encoded image of a record as grey, RGB or RGBA; raises ``ValueError`` for anything else."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if image is None:
        raise ValueError("is no image")
    return _swap(image)


def _read_file(path: Union[str, "os.PathLike[str]"]) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read()
    except OSError as error:
        # A disk or a file server that fails is no fault of the photo.
        if error.errno not in _FAULTS_OF_THE_FILE:
            raise
        raise BadRawRecord(path, f"cannot be read: {error.strerror}") from None
    if not data:
        raise BadRawRecord(path, "the file is empty")
    return data


def _decode(data: bytes, channels: int, reduction: int) -> Optional[Image]:
    buffer = np.frombuffer(data, np.uint8)
    try:
        if channels == 1:
            return _decoded(buffer, cv2.IMREAD_GRAYSCALE)
        if channels == 4:
            return _with_alpha(buffer)
        if _RGB is not None:
            # The reduced flags hold the bit of BGR, which excludes RGB.
            flags = _RGB if reduction == 1 else (_REDUCED[reduction] & ~cv2.IMREAD_COLOR) | _RGB
            return _decoded(buffer, flags)
        image = _decoded(buffer, cv2.IMREAD_COLOR if reduction == 1 else _REDUCED[reduction])
        return None if image is None else _swap(image)
    except cv2.error:
        return None


def _decoded(buffer: Image, flags: int) -> Optional[Image]:
    image: Optional[Image] = cv2.imdecode(buffer, flags)
    return image


def _with_alpha(buffer: Image) -> Optional[Image]:
    colour = _decoded(buffer, cv2.IMREAD_COLOR)
    if colour is None:
        return None
    raw = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
    image: Image = cv2.cvtColor(colour, cv2.COLOR_BGR2RGBA)
    # A JPEG has no alpha, and only a JPEG is turned by its orientation.
    if raw is not None and raw.ndim == 3 and raw.shape[2] == 4 and raw.shape[:2] == image.shape[:2]:
        alpha = raw[:, :, 3]
        image[:, :, 3] = alpha if alpha.dtype == np.uint8 else alpha // 257
    return image


def _reduction(header: Optional[ImageHeader], at_least: Optional[Sequence[int]]) -> int:
    if header is None or header.format != "jpeg" or at_least is None:
        return 1
    height, width = header.upright
    for factor in (8, 4, 2):
        if -(-height // factor) >= at_least[0] and -(-width // factor) >= at_least[1]:
            return factor
    return 1


def _encode(suffix: str, image: Image, parameters: Sequence[int]) -> bytes:
    done, data = cv2.imencode(suffix, _swap(image), parameters)
    if not done:
        raise ValueError(f"an array of {image.dtype} {image.shape} cannot be encoded as {suffix}")
    return bytes(data)


def _swap(image: Image) -> Image:
    if image.ndim < 3 or image.shape[2] not in (3, 4):
        return image
    swapped: Image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    return swapped
