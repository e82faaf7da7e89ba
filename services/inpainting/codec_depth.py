"""Brings pixels to eight bits for the formats that have no more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inpainting.photo import Pixels


def eight_bits(values: Pixels) -> npt.NDArray[np.uint8]:
    """Return the values as uint8: the same ones, or of 16 bits the nearest."""
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    # 65535 / 255 = 257, and by halves upwards.
    return np.asarray((values.astype(np.uint32) + 128) // 257, np.uint8)
