"""Decodes a stored picture with whichever of OpenCV and Pillow is installed."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from darkroom_client.errors import DataLoss, InvalidArgument
from darkroom_client.manifest import Feature


def decode_image(content: bytes, feature: Feature) -> np.ndarray[Any, Any]:
    """Return the picture, uint8 (or uint16 from such a PNG), `(height, width, channels)`, colours as RGB.

    Raises `InvalidArgument` when neither library is installed, `DataLoss` for bytes that are no picture.
    """
    try:
        import cv2
    except ImportError:
        return _with_channels(_by_pillow(content, feature), feature)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise _damaged(feature)
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        order = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        pixels = cv2.cvtColor(pixels, order)
    return _with_channels(pixels, feature)


def _by_pillow(content: bytes, feature: Feature) -> np.ndarray[Any, Any]:
    try:
        from PIL import Image
    except ImportError:
        raise InvalidArgument(
            f"decoding {feature.name!r} needs OpenCV or Pillow: pip install pillow, or read with decode=False"
        ) from None
    try:
        picture = Image.open(io.BytesIO(content))
        plain = {"1": "L", "P": "RGBA" if "transparency" in picture.info else "RGB", "CMYK": "RGB", "YCbCr": "RGB"}
        return np.array(picture.convert(plain[picture.mode]) if picture.mode in plain else picture)
    except OSError as error:
        raise _damaged(feature) from error


def _with_channels(pixels: np.ndarray[Any, Any], feature: Feature) -> np.ndarray[Any, Any]:
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    # A grey JPEG among coloured ones has one channel; the manifest says how many there should be.
    if pixels.shape[2] == 1 and feature.image_shape[-1] == 3:
        pixels = np.repeat(pixels, 3, axis=2)
    return pixels


def _damaged(feature: Feature) -> DataLoss:
    return DataLoss(f"a record's {feature.name!r} is no {feature.encoding} picture")
