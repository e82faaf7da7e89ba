"""Fills smooth surroundings: Navier-Stokes diffusion for the colours, matched grain for the look."""

from __future__ import annotations

import numpy as np

from inpainting_models.conventional import fill_navier_stokes
from inpainting_models.crops import crops_around, paint_crops
from inpainting_models.grain import RING_PX, add_grain
from inpainting_models.painting import Cancel, Mask, Photo


def fill_smooth_with_grain(
    photo: Photo, mask: Mask, rng: np.random.Generator, *, cancel: Cancel | None = None
) -> Photo:
    """Fills by Navier-Stokes and adds grain with the variance, spectrum and colour of each hole's surroundings."""

    def fill_crop(crop: Photo, hole: Mask) -> Photo:
        return add_grain(fill_navier_stokes(crop, hole), hole, crop, rng)

    boxes = crops_around(mask, context=0, least_px=RING_PX + 8)
    result: Photo = paint_crops(fill_crop, photo, mask, boxes, cancel=cancel)
    return result
