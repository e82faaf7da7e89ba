"""Lays a foreground over a background, and marks where a matte is uncertain."""

from __future__ import annotations

from typing import Any, Tuple

import cv2
import numpy as np

from dataset_handlers.image import Image

BLENDINGS = ("srgb", "linear")

# Mattes of real photos are seldom quite 255 inside, nor quite 0 outside: 95 % and 2 %.
_CERTAIN, _CLEAR = 242, 5

# IEC 61966-2-1: the light that each of the 256 values stands for.
_VALUES = np.arange(256) / 255
_LIGHT = np.where(_VALUES <= 0.04045, _VALUES / 12.92, ((_VALUES + 0.055) / 1.055) ** 2.4).astype(np.float32)
_STORED = _VALUES.astype(np.float32)


def to_float(image: Image, blending: str = "srgb") -> Any:
    """Returns uint8 ``image`` as float32 in [0, 1]: its stored values, or the light (linear) that they stand for."""
    return (_LIGHT if blending == "linear" else _STORED)[image]


def to_image(values: Any, blending: str = "srgb") -> Image:
    """Returns what `to_float` was given; values outside of [0, 1] are clipped."""
    values = np.clip(values, 0, 1)
    if blending == "linear":
        values = np.where(values <= 0.0031308, values * 12.92, 1.055 * np.power(values, 1 / 2.4) - 0.055)
    result: Image = np.rint(values * 255).astype(np.uint8)
    return result


def composite(
    premultiplied: Any, background: Image, top: int, left: int, blending: str = "srgb"
) -> Tuple[Image, Image]:
    """Returns RGB ``background`` with a foreground laid over it, and the alpha of the whole (uint8).

    ``premultiplied``: float32 `(h, w, 4)`, foreground times alpha, and alpha, in [0, 1]; its corner lies at ``top``,
    ``left``, also outside of the background.
    """
    height, width = background.shape[:2]
    image, alpha = background.copy(), np.zeros((height, width), np.uint8)
    # Of a foreground that lies wholly above or left of it nothing is seen: a stop below 0 would count from the end.
    rows = slice(max(0, top), max(0, top + premultiplied.shape[0]))
    columns = slice(max(0, left), max(0, left + premultiplied.shape[1]))
    below = background[rows, columns]
    inner = premultiplied[max(0, -top) :, max(0, -left) :][: below.shape[0], : below.shape[1]]
    opacity = inner[:, :, 3:]
    blended = to_image(inner[:, :, :3] + (1 - opacity) * to_float(below, blending), blending)
    # What is wholly clear should keep its bytes.
    image[rows, columns] = np.where(opacity > 0, blended, below)
    alpha[rows, columns] = np.rint(opacity[:, :, 0] * 255).astype(np.uint8)
    return image, alpha


def trimap(alpha: Image, unknown_px: int) -> Image:
    """Returns 255 for foreground, 0 for background and 128 for what is unknown.

    Unknown is where ``alpha`` is neither (almost) 0 nor (almost) 255, and what lies within ``unknown_px`` of it.
    """
    side = 2 * unknown_px + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    certain = cv2.erode((alpha >= _CERTAIN).astype(np.uint8), kernel)
    possible = cv2.dilate((alpha > _CLEAR).astype(np.uint8), kernel)
    result: Image = np.where(certain > 0, 255, np.where(possible > 0, 128, 0)).astype(np.uint8)
    return result
