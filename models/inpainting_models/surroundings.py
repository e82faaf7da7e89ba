"""Measures what lies around a hole, as far as it decides how to fill it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting_models.crops import near_holes
from inpainting_models.grain import fine_detail, ring_around
from inpainting_models.interruptible import interruptible
from inpainting_models.painting import Cancel, Mask, Photo, stop_if

SMOOTH_SIGMA_PX = 3.0
LEAST_RING_PX, MOST_RING_PX = 24, 96
ENOUGH_PLACES = 200_000
"""A slope is fitted to about so many pixels of a ring: smoothed neighbours say the same."""


@dataclass(frozen=True)
class Surroundings:
    """A hole and its ring, in numbers."""

    radius_px: float
    """The largest circle that fits into the hole."""
    hole_share: float
    """Part of the crop that is missing, 0 to 1."""
    structure: float
    """What remains of the ring's smoothed brightness without its best quadratic slope: 0 is a clear sky."""
    brightness: float
    """The ring's mean, 0 to 1."""
    roughness: float
    """Root mean square of the ring's fine detail: its grain and texture."""


def look_around(photo: Photo, mask: Mask, *, cancel: Cancel | None = None) -> Surroundings:
    """Returns the measures of a crop with at least one pixel of hole, and one that is known."""
    return interruptible(lambda: _look_around(photo, mask, cancel), cancel)


def _look_around(photo: Photo, mask: Mask, cancel: Cancel | None) -> Surroundings:
    # The ring and what its smoothing reaches: the rest of a large crop would only cost memory.
    near = near_holes(mask, MOST_RING_PX + 16)
    hole_share = float(mask.mean())
    photo, mask = photo[near.slices], np.ascontiguousarray(mask[near.slices])
    radius_px = float(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE).max())
    if not np.isfinite(radius_px) or radius_px > max(mask.shape):
        radius_px = float(max(mask.shape))
    stop_if(cancel)
    ring = ring_around(mask, round(min(max(radius_px, LEAST_RING_PX), MOST_RING_PX)))
    stop_if(cancel)
    fine = fine_detail(photo, ~mask, SMOOTH_SIGMA_PX)
    stop_if(cancel)
    return Surroundings(
        radius_px=radius_px,
        hole_share=hole_share,
        structure=_without_slope((photo - fine).mean(axis=2), ring),
        brightness=float(photo[ring].mean(dtype=np.float64)),
        roughness=float(np.sqrt(np.mean(fine[ring] ** 2))),
    )


def _without_slope(smooth: NDArray[np.float32], ring: Mask) -> float:
    """Returns the root mean square of what the best quadratic slope through the ring leaves of it."""
    places = np.flatnonzero(ring)
    rows, columns = np.divmod(places[:: max(1, len(places) // ENOUGH_PLACES)], ring.shape[1])
    wanted = smooth[rows, columns].astype(np.float64)
    y, x = rows / max(ring.shape), columns / max(ring.shape)
    slope = np.stack([np.ones_like(y), y, x, y * y, x * y, x * x], axis=1)
    solution = np.linalg.lstsq(slope, wanted, rcond=None)[0]
    return float(np.sqrt(np.mean((slope @ solution - wanted) ** 2)))
