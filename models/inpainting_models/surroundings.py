"""Measures what lies around a hole, as far as it decides how to fill it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from inpainting_models.crops import near_holes
from inpainting_models.grain import fine_detail, ring_around
from inpainting_models.painting import Mask, Photo

SMOOTH_SIGMA_PX = 3.0
LEAST_RING_PX, MOST_RING_PX = 24, 96


@dataclass(frozen=True)
class Surroundings:
    """A hole and its ring, in numbers."""

    radius_px: float
    """The largest circle that fits into the hole."""
    hole_share: float
    """Part of the crop that is missing, 0 to 1."""
    structure: float
    """What remains of the ring's smoothed brightness without its best quadratic slope: 0 is a clear sky."""
    roughness: float
    """Root mean square of the ring's fine detail: its grain and texture."""


def look_around(photo: Photo, mask: Mask) -> Surroundings:
    """Returns the measures of a crop with at least one pixel of hole, and one that is known."""
    # The ring and what its smoothing reaches: the rest of a large crop would only cost memory.
    near = near_holes(mask, MOST_RING_PX + 16)
    hole_share = float(mask.mean())
    photo, mask = photo[near.slices], np.ascontiguousarray(mask[near.slices])
    radius_px = float(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE).max())
    if not np.isfinite(radius_px) or radius_px > max(mask.shape):
        radius_px = float(max(mask.shape))
    ring = ring_around(mask, round(min(max(radius_px, LEAST_RING_PX), MOST_RING_PX)))
    fine = fine_detail(photo, ~mask, SMOOTH_SIGMA_PX)
    smooth = (photo - fine)[ring].mean(axis=1).astype(np.float64)
    rows, columns = (places[:, None] for places in np.nonzero(ring))
    y, x = rows / max(mask.shape), columns / max(mask.shape)
    slope = np.hstack([np.ones_like(y), y, x, y * y, x * y, x * x])
    solution = np.linalg.lstsq(slope, smooth, rcond=None)[0]
    return Surroundings(
        radius_px=radius_px,
        hole_share=hole_share,
        structure=float(np.sqrt(np.mean((slope @ solution - smooth) ** 2))),
        roughness=float(np.sqrt(np.mean(fine[ring] ** 2))),
    )
