"""Looks along the hole's rim for what gives a retouch away: a colour shift, a step in sharpness, a seam."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from inpainting_models.evaluation.metrics_pixels import Mask, Photo
from inpainting_models.evaluation.metrics_sharpness import mean_gradient, rim_distance

BAND_PX = 6
"""How far from the rim, on both sides, is looked."""

_FAINT = 0.25 / 255


def colour_shift(truth: Photo, result: Photo, mask: Mask) -> float:
    """Return how far the colours just inside the rim are off, in levels of 255, after averaging away the detail.

    The difference to the truth is averaged over the band's part of a window first, so that noise and misplaced texture
    cancel out and a tint stays.
    """
    band = (mask & (rim_distance(mask) <= BAND_PX)).astype(np.float32)
    if not band.any():
        return math.nan
    window = (4 * BAND_PX + 1, 4 * BAND_PX + 1)
    weight = cv2.blur(band, window, borderType=cv2.BORDER_CONSTANT)
    difference = cv2.blur((result - truth) * band[:, :, None], window, borderType=cv2.BORDER_CONSTANT)
    inside = band > 0
    return 255 * float(np.abs(difference[inside] / weight[inside][:, None]).mean())


def sharpness_step(truth: Photo, result: Photo, mask: Mask) -> float:
    """Return the log2 of sharpness inside over outside the rim, less the truth's own: 0 = none, -1 = half as sharp.

    NaN where either side is flat in the truth.
    """
    inner = mask & (rim_distance(mask) <= BAND_PX)
    outer = ~mask & (rim_distance(~mask) <= BAND_PX)
    sides = [mean_gradient(photo, band) for photo in (truth, result) for band in (inner, outer)]
    true_inner, true_outer, inner_sharpness, outer_sharpness = sides
    if any(math.isnan(side) for side in sides) or min(true_inner, true_outer, outer_sharpness) < _FAINT:
        return math.nan
    return math.log2(max(inner_sharpness, _FAINT) / outer_sharpness) - math.log2(true_inner / true_outer)


def seam(truth: Photo, result: Photo, mask: Mask) -> float:
    """Return the mean step between neighbours on both sides of the rim, result over truth: 1 = no seam.

    A blur makes it smaller than 1, a visible contour larger; NaN where the truth has no step at all.
    """
    true_step, step = _steps(truth, mask), _steps(result, mask)
    if not true_step.size or true_step.mean() < _FAINT:
        return math.nan
    return float(step.mean() / true_step.mean())


def _steps(photo: Photo, mask: Mask) -> npt.NDArray[np.float32]:
    down = np.abs(photo[1:] - photo[:-1])[mask[1:] != mask[:-1]]
    right = np.abs(photo[:, 1:] - photo[:, :-1])[mask[:, 1:] != mask[:, :-1]]
    return np.concatenate([down, right]).mean(axis=1) if down.size + right.size else np.empty(0, np.float32)
