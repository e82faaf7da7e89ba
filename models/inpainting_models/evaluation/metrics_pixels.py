"""Compares the hole's pixels with the truth: PSNR, L1, SSIM; and the known pixels, which must not change at all."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Photo = npt.NDArray[np.float32]  # (height, width, 3) in [0, 1]
Mask = npt.NDArray[np.bool_]  # (height, width), True = hole

SSIM_SIGMA_PX = 1.5
SSIM_WINDOW_PX = 11
BEST_PSNR_DB = 100.0
"""What an exact copy gets: an infinite value would spoil every mean."""


def hole_l1(truth: Photo, result: Photo, mask: Mask) -> float:
    """Return the mean absolute difference in the hole, in percent of the full range."""
    return 100 * float(np.abs(truth[mask] - result[mask]).mean())


def hole_psnr(truth: Photo, result: Photo, mask: Mask) -> float:
    """Return the peak signal-to-noise ratio over the hole's pixels, in dB, at most `BEST_PSNR_DB`."""
    error = float(np.square(truth[mask] - result[mask], dtype=np.float64).mean())
    return BEST_PSNR_DB if error <= 10 ** (-BEST_PSNR_DB / 10) else -10 * math.log10(error)


def hole_ssim(truth: Photo, result: Photo, mask: Mask) -> float:
    """Return the mean over the hole of the SSIM map (Wang et al. 2004; Gaussian 11x11, sigma 1.5, per channel)."""
    return float(ssim_map(truth, result)[mask].mean())


def ssim_map(truth: Photo, result: Photo) -> npt.NDArray[np.float64]:
    """Return the SSIM at each pixel, averaged over the channels."""
    one, two = truth.astype(np.float64), result.astype(np.float64)
    mean_one, mean_two = _smooth(one), _smooth(two)
    variance_one = _smooth(one * one) - mean_one**2
    variance_two = _smooth(two * two) - mean_two**2
    covariance = _smooth(one * two) - mean_one * mean_two
    c1, c2 = 0.01**2, 0.03**2
    above = (2 * mean_one * mean_two + c1) * (2 * covariance + c2)
    below = (mean_one**2 + mean_two**2 + c1) * (variance_one + variance_two + c2)
    return np.asarray((above / below).mean(axis=2))


def known_difference(truth: npt.NDArray[np.uint8], result: npt.NDArray[np.uint8], mask: Mask) -> float:
    """Return the largest change of a pixel outside the hole, in levels of 255: 0 where a program keeps its word."""
    if mask.all():
        return 0.0
    return float(np.abs(truth[~mask].astype(np.int16) - result[~mask].astype(np.int16)).max())


def _smooth(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    window = (SSIM_WINDOW_PX, SSIM_WINDOW_PX)
    return np.asarray(cv2.GaussianBlur(values, window, SSIM_SIGMA_PX, borderType=cv2.BORDER_REFLECT))
