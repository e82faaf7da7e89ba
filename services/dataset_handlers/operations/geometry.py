"""Turns and mirrors photos, and leaves no black corners."""

from __future__ import annotations

import math
from typing import Tuple

import cv2
import numpy as np

from dataset_handlers.image import Image


def flip(image: Image) -> Image:
    """Returns ``image`` mirrored left to right."""
    mirrored: Image = cv2.flip(image, 1)
    return mirrored


def random_flip(image: Image, rng: np.random.Generator, probability: float = 0.5) -> Image:
    """Returns ``image``, mirrored left to right with ``probability``."""
    return flip(image) if rng.random() < probability else image


def rotate(image: Image, degrees: float, *, nearest: bool = False) -> Image:
    """Returns ``image`` turned counter-clockwise, cut to the largest upright rectangle of its own proportions.

    Any angle is allowed; beyond 45 degrees little of the photo is left.
    """
    if degrees == 0:
        return image
    height, width = image.shape[:2]
    inner_height, inner_width = inscribed_size(height, width, degrees)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    matrix[0, 2] += (inner_width - 1) / 2 - (width - 1) / 2
    matrix[1, 2] += (inner_height - 1) / 2 - (height - 1) / 2
    interpolation = cv2.INTER_NEAREST if nearest else cv2.INTER_CUBIC
    # The rectangle lies inside, but cubic interpolation looks two pixels further.
    turned: Image = cv2.warpAffine(
        image, matrix, (inner_width, inner_height), flags=interpolation, borderMode=cv2.BORDER_REFLECT_101
    )
    return turned


def random_rotation(image: Image, rng: np.random.Generator, max_degrees: float) -> Image:
    """Returns ``image`` turned by an angle drawn evenly from ``-max_degrees`` to ``max_degrees``."""
    return rotate(image, float(rng.uniform(-1, 1)) * max_degrees)


def inscribed_size(height: int, width: int, degrees: float) -> Tuple[int, int]:
    """Returns the size of the largest upright rectangle of the same proportions inside the turned photo."""
    angle = math.radians(degrees)
    cosine, sine = abs(math.cos(angle)), abs(math.sin(angle))
    scale = min(width / (width * cosine + height * sine), height / (width * sine + height * cosine))
    # A whole turn should not lose a pixel to rounding.
    return max(1, int(height * scale + 1e-6)), max(1, int(width * scale + 1e-6))
