"""Scales photos to a size: stretched, covering it, or contained in it; and scales and crops in one step."""

from __future__ import annotations

from typing import Sequence, Tuple

import cv2

from dataset_handlers.image import Image
from dataset_handlers.operations.crop import Window, center_crop, crop

MODES = ("stretch", "cover", "contain")

# The plain one picks the first of the pixels that become one, which moves a mask by up to half a pixel of the result.
_NEAREST = getattr(cv2, "INTER_NEAREST_EXACT", cv2.INTER_NEAREST)


def resize(image: Image, size: Sequence[int], mode: str = "stretch", *, nearest: bool = False) -> Image:
    """Returns ``image`` at exactly ``size`` ``[height, width]``.

    ``stretch`` ignores the proportions; ``cover`` keeps them and cuts off what stands over, evenly on both sides;
    ``contain`` keeps them and the whole photo, with black bars. Shrinks by area averaging, enlarges by cubic
    interpolation; ``nearest`` invents no values, for label maps.
    """
    if mode == "contain":
        return contain(image, size, size_before_crop(image.shape[:2], size, mode), nearest=nearest)
    scaled = size_before_crop(image.shape[:2], size, mode)
    return resize_and_crop(image, scaled, center_crop(scaled, size), nearest=nearest)


def size_before_crop(image_size: Sequence[int], size: Sequence[int], mode: str) -> Tuple[int, int]:
    """Returns the ``(height, width)`` to which the whole photo is scaled on its way to ``size``."""
    if mode == "stretch":
        return int(size[0]), int(size[1])
    if mode not in MODES:
        raise ValueError(f"no resize mode {mode!r}; there are {', '.join(MODES)}")
    ratios = [size[axis] / image_size[axis] for axis in (0, 1)]
    if mode == "cover":
        ratio = max(ratios)
        return max(int(size[0]), round(image_size[0] * ratio)), max(int(size[1]), round(image_size[1] * ratio))
    ratio = min(ratios)
    height, width = (max(1, min(int(size[axis]), round(image_size[axis] * ratio))) for axis in (0, 1))
    return height, width


def resize_and_crop(image: Image, size: Sequence[int], window: Window, *, nearest: bool = False) -> Image:
    """Returns what ``crop(resize(image, size), window)`` shows, without scaling what the crop throws away.

    When shrinking, the window's edges are rounded to whole pixels of the source, which moves the picture by less than
    half a pixel of the result; when enlarging, nothing is rounded.
    """
    height, width = image.shape[:2]
    ratio_y, ratio_x = height / size[0], width / size[1]
    if ratio_y < 1 or ratio_x < 1:
        return crop(_scale(image, int(size[0]), int(size[1]), nearest), window)
    top, left = round(window.top * ratio_y), round(window.left * ratio_x)
    bottom, right = round((window.top + window.height) * ratio_y), round((window.left + window.width) * ratio_x)
    return _scale(image[top:bottom, left:right], window.height, window.width, nearest)


def contain(image: Image, size: Sequence[int], inner: Sequence[int], *, nearest: bool = False) -> Image:
    """Returns ``image`` scaled to ``inner`` in the middle of black ``size``; `size_before_crop` gives ``inner``."""
    scaled = _scale(image, int(inner[0]), int(inner[1]), nearest)
    top, left = (int(size[0]) - scaled.shape[0]) // 2, (int(size[1]) - scaled.shape[1]) // 2
    bottom, right = int(size[0]) - scaled.shape[0] - top, int(size[1]) - scaled.shape[1] - left
    padded: Image = cv2.copyMakeBorder(scaled, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    return padded


def _scale(image: Image, height: int, width: int, nearest: bool) -> Image:
    if image.shape[:2] == (height, width):
        return image
    if nearest:
        interpolation = _NEAREST
    elif height <= image.shape[0] and width <= image.shape[1]:
        interpolation = cv2.INTER_AREA
    else:
        interpolation = cv2.INTER_CUBIC
    scaled: Image = cv2.resize(image, (width, height), interpolation=interpolation)
    return scaled
