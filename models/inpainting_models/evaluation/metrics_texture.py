"""Compares the hole's texture with the true one as a whole: which small patches there are, not where each lies."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from inpainting_models.evaluation.metrics_pixels import Mask, Photo
from inpainting_models.evaluation.randomness import generator

PATCH_PX = 7
LEVELS = 3
PATCHES = 1024
"""At most so many of each level."""
PROJECTIONS = 128


def texture_distance(truth: Photo, result: Photo, mask: Mask) -> float:
    """Return the sliced Wasserstein distance between the patches of both holes, over three octaves, in levels of 255.

    The measure is that of Karras et al. 2018 (section 5): 7x7 patches of a Laplacian pyramid, here of brightness and
    only those that lie in the hole. 0 = the same patches. A blur lacks them, white noise has others: neither comes
    near real texture, whose patches may lie anywhere. NaN where no patch fits into the hole.
    """
    distances = []
    region = mask
    one, two = _grey(truth), _grey(result)
    for level in range(LEVELS):
        places = _places(region, level)
        if not len(places):
            break
        smaller_one, smaller_two = cv2.pyrDown(one), cv2.pyrDown(two)
        bands = [
            grey - cv2.pyrUp(smaller, dstsize=(grey.shape[1], grey.shape[0]))
            for grey, smaller in ((one, smaller_one), (two, smaller_two))
        ]
        distances.append(_sliced(_patches(bands[0], places), _patches(bands[1], places), level))
        one, two = np.asarray(smaller_one, np.float32), np.asarray(smaller_two, np.float32)
        region = region[::2, ::2]
        region = region[: one.shape[0], : one.shape[1]]
    return 255 * float(np.mean(distances)) if distances else math.nan


def _grey(photo: Photo) -> npt.NDArray[np.float32]:
    return np.asarray(photo @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def _places(region: Mask, level: int) -> npt.NDArray[np.intp]:
    """Return the upper left corners of patches that lie in the region, spread over it, always the same ones."""
    inside = cv2.erode(region.astype(np.uint8), np.ones((PATCH_PX, PATCH_PX), np.uint8), anchor=(0, 0), borderValue=0)
    corners = np.argwhere(inside)
    corners = corners[(corners[:, 0] + PATCH_PX <= region.shape[0]) & (corners[:, 1] + PATCH_PX <= region.shape[1])]
    if len(corners) > PATCHES:
        keep = np.argsort(generator("texture patches", level).random(len(corners)), kind="stable")[:PATCHES]
        corners = corners[keep]
    return np.asarray(corners)


def _patches(band: npt.NDArray[np.float32], corners: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    windows = np.lib.stride_tricks.sliding_window_view(band, (PATCH_PX, PATCH_PX))
    return np.asarray(windows[corners[:, 0], corners[:, 1]].reshape(len(corners), -1), np.float32)


def _sliced(one: npt.NDArray[np.float32], two: npt.NDArray[np.float32], level: int) -> float:
    # Normal numbers by Box and Muller, from the only stream that NumPy promises to keep.
    uniform = generator("texture projections", level).random((2, one.shape[1], PROJECTIONS))
    directions = np.sqrt(-2 * np.log(1 - uniform[0])) * np.cos(2 * np.pi * uniform[1])
    directions /= np.linalg.norm(directions, axis=0)
    sorted_one, sorted_two = (np.sort(patches @ directions, axis=0) for patches in (one, two))
    return float(np.abs(sorted_one - sorted_two).mean())
