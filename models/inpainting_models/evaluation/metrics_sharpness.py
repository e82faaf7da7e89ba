"""Tells whether the hole is as sharp as the truth: gradient energy in whole, and by distance from the rim."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from inpainting_models.evaluation.metrics_pixels import Mask, Photo

DISTANCES_PX = (0, 2, 4, 8, 16, 32, 64, math.inf)
"""Bounds of the rings inside the hole; a pixel that touches the rim has distance 1."""

FINE_SIGMA_PX = 2.0

# A flat hole has no gradient to compare with; a level of 255 squared is the least that counts.
_FAINT = (1 / 255) ** 2


def gradient_ratio(truth: Photo, result: Photo, mask: Mask) -> float:
    """Return mean gradient magnitude in the hole, result over truth: 1 = as sharp, less = blurred, more = noisy.

    The gradient is over neighbouring pixels that both lie in the hole; NaN where the truth is flat. Noise on a blur
    can reach 1 as well: read it together with `texture_distance` and `edge_continuation`.
    """
    return _ratio(mean_gradient(result, mask), mean_gradient(truth, mask))


def fine_energy(truth: Photo, result: Photo, mask: Mask) -> float:
    """Return the mean square of what a Gaussian of 2 pixels takes away, in the hole, result over truth.

    That is the energy of all detail finer than a few pixels; NaN where the truth is flat. As for the gradient ratio,
    noise has it, too.
    """
    fine = [photo - cv2.GaussianBlur(photo, (0, 0), FINE_SIGMA_PX) for photo in (result, truth)]
    result_energy, true_energy = (float((each[mask] ** 2).mean()) for each in fine)
    return math.nan if true_energy < _FAINT else result_energy / true_energy


def mean_gradient(photo: Photo, region: Mask) -> float:
    """Return the mean magnitude of the forward differences whose pixels all lie in the region."""
    inside = region[:-1, :-1] & region[1:, :-1] & region[:-1, 1:]
    if not inside.any():
        return math.nan
    down = (photo[1:, :-1] - photo[:-1, :-1])[inside]
    right = (photo[:-1, 1:] - photo[:-1, :-1])[inside]
    return float(np.sqrt((down**2 + right**2).mean(axis=1)).mean())


def rim_distance(mask: Mask) -> npt.NDArray[np.float32]:
    """Return each hole pixel's distance to the nearest known pixel; infinite in a photo without any."""
    if mask.all():
        return np.full(mask.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def rings(mask: Mask) -> list[tuple[str, Mask]]:
    """Return the rings inside the hole, named by their bounds: `0_2`, ..., `64_up`; those too far in are empty."""
    distance = rim_distance(mask)
    named = []
    for low, high in pairwise(DISTANCES_PX):
        name = f"{low:g}_{'up' if math.isinf(high) else f'{high:g}'}"
        named.append((name, mask & (distance > low) & (distance <= high)))
    return named


def error_by_distance(truth: Photo, result: Photo, mask: Mask) -> dict[str, float]:
    """Return the mean absolute difference of each ring, in percent of the full range; NaN for empty rings."""
    error = np.abs(truth - result).mean(axis=2)
    return {name: 100 * float(error[ring].mean()) if ring.any() else math.nan for name, ring in rings(mask)}


def sharpness_by_distance(truth: Photo, result: Photo, mask: Mask) -> dict[str, float]:
    """Return the gradient ratio of each ring; NaN where there is no such ring or the truth is flat."""
    return {name: gradient_ratio(truth, result, ring) for name, ring in rings(mask)}


def _ratio(result: float, truth: float) -> float:
    if math.isnan(truth) or truth**2 < _FAINT:
        return math.nan
    return result / truth
