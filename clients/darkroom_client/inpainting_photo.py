"""Takes photos and masks as people have them, paths, bytes or arrays, and turns results into arrays."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from darkroom_client.errors import DataLoss, InvalidArgument, NotFound

Photo = str | os.PathLike[str] | bytes | np.ndarray[Any, Any]


def photo_bytes(photo: Photo, field: str) -> bytes:
    """Return a photo's file. Raises `NotFound` and `InvalidArgument`, which name the field."""
    if isinstance(photo, bytes):
        return photo
    if isinstance(photo, np.ndarray):
        return array_png(photo if field == "photo" else mask_levels(photo), field)
    try:
        return Path(photo).read_bytes()
    except FileNotFoundError:
        raise NotFound(f"{field}: there is no file {os.fspath(photo)}") from None
    except OSError as error:
        raise InvalidArgument(f"{field}: {os.fspath(photo)} cannot be read: {error.strerror}") from error


def mask_levels(mask: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a mask as an image: white is hole. A mask of bool, 0 and 1, or 0 to 255 means what it seems to mean."""
    if mask.dtype == np.bool_ or (mask.dtype.kind in "iuf" and mask.size and mask.max() <= 1):
        return np.where(mask > 0, 255, 0).astype(np.uint8)
    return mask


def array_png(pixels: np.ndarray[Any, Any], field: str) -> bytes:
    """Return a PNG of `(height, width)` or `(height, width, 1 to 4)`: uint8, uint16, or floats in [0, 1] as 8 bits.

    Needs no image library. Raises `InvalidArgument` for anything else.
    """
    if pixels.dtype.kind == "f":
        if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 1:
            raise InvalidArgument(f"{field}: an array of floats must be in [0, 1]")
        pixels = np.rint(pixels * 255).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or not pixels.size or pixels.dtype not in (np.uint8, np.uint16):
        raise InvalidArgument(
            f"{field}: an array must be (height, width) or (height, width, channels) of uint8, uint16 or floats in "
            f"[0, 1], not {pixels.dtype} {pixels.shape}"
        )
    colour = {1: 0, 2: 4, 3: 2, 4: 6}.get(pixels.shape[2])
    if colour is None:
        raise InvalidArgument(f"{field}: an array has 1 to 4 channels, not {pixels.shape[2]}")
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    # Each row begins with its filter: none. The service reads it once, so speed counts and size does not.
    raw = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, colour, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(raw.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in parts)


def decode_photo(content: bytes) -> np.ndarray[Any, Any]:
    """Return a file's pixels, uint8 or uint16 `(height, width, channels)`, RGB.

    Raises `InvalidArgument` when neither OpenCV nor Pillow is installed, `DataLoss` for bytes that are no picture.
    """
    try:
        import cv2
    except ImportError:
        return _by_pillow(content)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise DataLoss("the result is no picture")
    if pixels.ndim == 2:
        return np.asarray(pixels[:, :, None])
    return np.ascontiguousarray(pixels[..., [2, 1, 0, *range(3, pixels.shape[2])]])


def _by_pillow(content: bytes) -> np.ndarray[Any, Any]:
    try:
        from PIL import Image
    except ImportError:
        raise InvalidArgument(
            "an array of the result needs OpenCV or Pillow: pip install pillow, or take the file's bytes with "
            "`inpaint_candidates`"
        ) from None
    try:
        pixels = np.array(Image.open(io.BytesIO(content)))
    except OSError as error:
        raise DataLoss("the result is no picture") from error
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
