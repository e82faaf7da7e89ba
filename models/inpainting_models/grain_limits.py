"""Adds grain so that it is as strong and as bright as it should be where black or white cuts it off.

What a camera cuts off at black has a mean above black. Symmetric grain on that mean, cut off again, is too bright and
too weak: dark places turn into grey cloth. So the mean and the strength before the cut are found first.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

REACH = 4.0
"""Farther than so many standard deviations from black and white nothing is cut off."""
# Of a normal value of standard deviation 1 and mean A, cut off below zero, these are the mean and standard deviation.
_A = np.linspace(-3, REACH, 1401)
_DENSITY = np.exp(-(_A**2) / 2) / math.sqrt(2 * math.pi)
_ABOVE = np.array([0.5 * (1 + math.erf(a / math.sqrt(2))) for a in _A])
_MEAN = _A * _ABOVE + _DENSITY
_STD = np.sqrt((_A**2 + 1) * _ABOVE + _A * _DENSITY - _MEAN**2)


def with_grain(
    values: NDArray[np.float32], grain: NDArray[np.float32], means: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns `values` plus `grain`, in [0, 1]; all are `(pixels, channels)`.

    `means` are the values without any grain, such as a local mean. The result has that mean, and the grain's strength,
    as far as there is room.
    """
    result = values + grain
    for channel, std in enumerate(grain.std(axis=0, dtype=np.float64)):
        if std < 1e-6:
            continue
        for dark in (True, False):
            room = means[:, channel] if dark else 1 - means[:, channel]
            cut = room < REACH * std
            mean, factor = before_cut(room[cut] / std)
            shift = mean * std - room[cut]
            result[cut, channel] += (shift if dark else -shift) + (factor - 1) * grain[cut, channel]
    np.clip(result, 0, 1, out=result)
    return result


def before_cut(means: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns mean and standard deviation of normal values that, cut off at 0, have mean `means` and deviation 1.

    `means` are from 0 to REACH.
    """
    # A mean that is nearly black in a strong grain comes from values that are nearly all cut off.
    a = np.interp(means, _MEAN / _STD, _A)
    factor = 1 / np.interp(a, _A, _STD)
    factor = np.minimum(factor, means / np.interp(a, _A, _MEAN))
    return (a * factor).astype(np.float32), factor.astype(np.float32)
