"""Painters that need no training and no search: mean colour, and OpenCV's Telea and Navier-Stokes."""

from __future__ import annotations

import cv2
import numpy as np

from inpainting_models.crops import crops_around, paint_crops
from inpainting_models.interruptible import interruptible
from inpainting_models.painting import Cancel, Mask, Photo, stop_if

RADIUS_PX = 3
"""What OpenCV's methods look at around each pixel."""
LEAST_SIDE_PX = 4
CONTEXT_PX = 16
"""Neither method looks farther than its radius: a larger crop would only cost time."""
QUICK_PX = 128 * 128
"""Crops of no more pixels are done in less time than anybody notices, and there may be thousands of them."""


def fill_mean(photo: Photo, mask: Mask) -> Photo:
    """Fills with the mean colour of all that is known."""
    result = photo.copy()
    result[mask] = photo[~mask].mean(axis=0, dtype=np.float64)
    return result


def fill_telea(photo: Photo, mask: Mask, *, cancel: Cancel | None = None) -> Photo:
    """Fills by fast marching (Telea 2004), in crops around the holes."""
    return _fill(photo, mask, cv2.INPAINT_TELEA, cancel)


def fill_navier_stokes(photo: Photo, mask: Mask, *, cancel: Cancel | None = None) -> Photo:
    """Fills by diffusion along isophotes (Bertalmio et al. 2001, as in OpenCV), in crops around the holes."""
    return _fill(photo, mask, cv2.INPAINT_NS, cancel)


def _fill(photo: Photo, mask: Mask, method: int, cancel: Cancel | None) -> Photo:
    def fill_crop(crop: Photo, hole: Mask) -> Photo:
        # OpenCV reads beyond pictures of a row or two: they are given a margin of their own edge.
        margin = LEAST_SIDE_PX if min(hole.shape) < LEAST_SIDE_PX else 0
        around = ((margin, margin), (margin, margin))
        crop = np.pad(crop, (*around, (0, 0)), mode="edge")
        hole_bytes = np.pad(hole, around, mode="edge").astype(np.uint8)
        # Channel by channel, because OpenCV takes floating point so only; in bytes, slow gradients would band. Its
        # constants are meant for 0 to 255: Telea's result leaves the range altogether in 0 to 1 (OpenCV 5.0).
        channels = []
        for index in range(3):
            stop_if(cancel)
            channel = np.ascontiguousarray(crop[..., index] * 255)
            channels.append(cv2.inpaint(channel, hole_bytes, RADIUS_PX, method))
        filled = np.dstack(channels)
        inner = filled[margin : margin + hole.shape[0], margin : margin + hole.shape[1]]
        return (inner / 255).astype(np.float32)

    def fill_or_leave(crop: Photo, hole: Mask) -> Photo:
        # A large crop takes a second: who cancels leaves at once, and OpenCV finishes its one channel unheard.
        return interruptible(lambda: fill_crop(crop, hole), cancel if hole.size > QUICK_PX else None)

    result: Photo = paint_crops(
        fill_or_leave, photo, mask, crops_around(mask, context=0, least_px=CONTEXT_PX), cancel=cancel
    )
    return result
