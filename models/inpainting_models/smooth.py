"""Fills smooth surroundings: Navier-Stokes diffusion for the colours, matched grain for the look."""

from __future__ import annotations

import numpy as np

from inpainting_models.conventional import fill_navier_stokes
from inpainting_models.crops import crops_around, near_holes, paint_crops
from inpainting_models.grain import CALM, RING_PX, add_grain, fine_detail
from inpainting_models.interruptible import interruptible
from inpainting_models.membrane import spread
from inpainting_models.painting import Cancel, Mask, Photo, stop_if

SLOPE_SIGMA_PX = 6.0


def fill_smooth_with_grain(
    photo: Photo, mask: Mask, rng: np.random.Generator, *, cancel: Cancel | None = None
) -> Photo:
    """Fills by Navier-Stokes and adds grain with the variance, spectrum and colour of each hole's surroundings."""

    def fill_crop(crop: Photo, hole: Mask) -> Photo:
        filled = fill_navier_stokes(crop, hole, cancel=cancel)
        return interruptible(lambda: add_grain(filled, hole, crop, rng, cancel=cancel), cancel)

    boxes = crops_around(mask, context=0, least_px=RING_PX + 8)
    result: Photo = paint_crops(fill_crop, photo, mask, boxes, cancel=cancel)
    return result


def fill_flat(photo: Photo, mask: Mask, rng: np.random.Generator, *, cancel: Cancel | None = None) -> Photo:
    """Continues a smooth slope of colour, as a skin stretched over the hole, and adds grain like the surroundings'.

    Unlike diffusion from the rim's own pixels it draws no rays: the rim is smoothed first.
    """
    return interruptible(lambda: _fill_flat(photo, mask, rng, cancel), cancel)


def _fill_flat(photo: Photo, mask: Mask, rng: np.random.Generator, cancel: Cancel | None) -> Photo:
    near = near_holes(mask, round(4 * SLOPE_SIGMA_PX))
    hole = mask[near.slices]
    smooth = photo[near.slices] - fine_detail(photo[near.slices], ~hole, SLOPE_SIGMA_PX)
    stop_if(cancel)
    result = photo.copy()
    result[mask] = np.clip(spread(smooth, ~hole, cancel=cancel)[hole], 0, 1)
    return add_grain(result, mask, photo, rng, share=CALM / 100, sigma_px=SLOPE_SIGMA_PX, cancel=cancel)
