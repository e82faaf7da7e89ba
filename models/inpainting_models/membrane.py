"""Spreads values from where they are known over the rest, as smoothly as a stretched skin (pull-push, then relaxed)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting_models.painting import Cancel, Mask, stop_if

RELAXATIONS = 8
"""Rounds of averaging at each size; without them the pyramid's squares show."""


def spread(values: NDArray[np.float32], known: Mask, *, cancel: Cancel | None = None) -> NDArray[np.float32]:
    """Returns `values` `(height, width, channels)` where `known`, and a smooth continuation everywhere else.

    With nothing known all is zero.
    """
    weight = known.astype(np.float32)
    return _spread(np.where(known[..., None], values, np.float32(0)), weight, cancel)


def _spread(values: NDArray[np.float32], weight: NDArray[np.float32], cancel: Cancel | None) -> NDArray[np.float32]:
    """`values` are already multiplied by their weights."""
    stop_if(cancel)
    height, width = weight.shape
    known = weight > 0
    result: NDArray[np.float32] = (values / np.maximum(weight, 1e-6)[..., None]).astype(np.float32)
    if known.all() or max(height, width) <= 1:
        return result
    half = (width + 1) // 2, (height + 1) // 2
    fewer = np.dstack([values, weight])
    fewer = cv2.copyMakeBorder(fewer, 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    fewer = cv2.resize(fewer, half, interpolation=cv2.INTER_AREA)
    coarse = _spread(np.ascontiguousarray(fewer[..., :-1]), np.ascontiguousarray(fewer[..., -1]), cancel)
    finer = cv2.resize(coarse, (half[0] * 2, half[1] * 2), interpolation=cv2.INTER_LINEAR)[:height, :width]
    finer = finer.reshape(height, width, -1)
    result = np.where(known[..., None], result, finer).astype(np.float32)
    for _ in range(RELAXATIONS):
        stop_if(cancel)
        mean = cv2.blur(result, (3, 3), borderType=cv2.BORDER_REPLICATE).reshape(height, width, -1)
        result = np.where(known[..., None], result, mean).astype(np.float32)
    return result
