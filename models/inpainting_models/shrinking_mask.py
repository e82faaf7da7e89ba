"""Fills a hole from its rim inwards: each pass sees the last one's result as known, and keeps one more ring of it.

A network whose receptive field is smaller than the hole has a blind centre; here the centre is painted last, when
what surrounds it is no longer empty.
"""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np

from inpainting_models.frame import Frame
from inpainting_models.painting import Mask, Paint, Photo, Progress, paint_one, stitch
from inpainting_models.plan import Plan, PlannedPass
from inpainting_models.resolution import Size

DEFAULT_PASSES = 4


def shrinking_mask(
    paint: Paint,
    photo: Photo,
    mask: Mask,
    training_size: Size | None = None,
    *,
    passes: int = DEFAULT_PASSES,
    progress: Progress | None = None,
) -> Photo:
    """Returns the photo with its hole painted in `passes` rings at `training_size`, enlarged; the rest bit-exact."""
    frame = Frame.of(photo, mask, training_size)
    if not mask.any():
        return photo.copy()
    image, hole = frame.at(frame.training_size)
    return frame.finish(paint_shrinking(paint, image, hole, passes, progress=progress))


def plan_shrinking_mask(
    photo: Photo, mask: Mask, training_size: Size | None = None, *, passes: int = DEFAULT_PASSES
) -> Plan:
    """Returns the passes that `shrinking_mask` will make: fewer than asked for where the hole is too thin for more."""
    frame = Frame.of(photo, mask, training_size)
    _, hole = frame.at(frame.training_size)
    count = len(shrunken_masks(hole, passes)) - 1
    note = f"the hole is too thin for {passes} passes" if 0 < count < passes else ""
    return Plan("shrinking_mask", (PlannedPass("step 1", frame.training_size),) * count, note)


def shrunken_masks(mask: Mask, passes: int = DEFAULT_PASSES) -> list[Mask]:
    """Returns the mask followed by its shrunken ones, the last of them empty: one shrunken mask for each pass.

    Each is the mask eroded by a disc that is one step larger than the one before, the step being the largest inscribed
    radius divided by `passes`, but at least a pixel. The photo's border counts as no rim: nothing is known beyond it.
    """
    if passes < 1:
        raise ValueError(f"at least one pass is needed, not {passes}")
    if not mask.any():
        return [mask.copy()]
    distance_px = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    radius_px = float(distance_px.max())
    step_px = max(1.0, radius_px / passes)
    count = max(1, math.ceil(radius_px / step_px - 1e-4))
    return [mask.copy(), *(distance_px > step_px * k for k in range(1, count)), np.zeros_like(mask)]


def paint_shrinking(
    paint: Paint,
    image: Photo,
    hole: Mask,
    passes: int = DEFAULT_PASSES,
    *,
    progress: Progress | None = None,
    passes_to_follow: int = 0,
) -> Photo:
    """Fills `hole` ring by ring at the image's own size; `passes_to_follow` only counts into the progress."""
    masks = shrunken_masks(hole, passes)
    total = len(masks) - 1 + passes_to_follow
    for done, (now, remaining) in enumerate(pairwise(masks)):
        if progress:
            progress("pass", done, total)
        # Everything in the present hole is painted; only the ring is believed.
        image = stitch(image, paint_one(paint, image, now), now & ~remaining)
    if progress:
        progress("pass", len(masks) - 1, total)
    return image
