"""Paints the whole hole small, then its rim and its small parts again at twice that size, with the first as known."""

from __future__ import annotations

import cv2
import numpy as np

from inpainting_models.frame import Frame
from inpainting_models.painting import Mask, Paint, Photo, Progress, paint_one, stitch
from inpainting_models.plan import Plan, PlannedPass
from inpainting_models.resolution import Size, scaled, scaled_mask


def two_step(
    paint: Paint,
    photo: Photo,
    mask: Mask,
    training_size: Size | None = None,
    *,
    rim_px: int | None = None,
    progress: Progress | None = None,
) -> Photo:
    """Returns the photo painted at `training_size` and, in rims and small parts, at twice that; the rest bit-exact.

    `rim_px` is how far step 2 reaches into the hole, measured at its own size; by default a sixteenth of the
    training size's shorter side. Parts narrower than twice that are painted again whole.
    """
    frame = Frame.of(photo, mask, training_size)
    if not mask.any():
        return photo.copy()
    total = 1 + frame.has_second_step
    if progress:
        progress("pass", 0, total)
    image, hole = frame.at(frame.training_size)
    first = paint_one(paint, image, hole)
    if progress:
        progress("pass", 1, total)
    if not frame.has_second_step:
        return frame.finish(first)
    second = paint_second_step(paint, frame, first, rim_px)
    if progress:
        progress("pass", 2, total)
    return frame.finish(second)


def plan_two_step(photo: Photo, mask: Mask, training_size: Size | None = None) -> Plan:
    """Returns the two passes of `two_step`, or one where the photo has no more detail than step 1 has seen."""
    frame = Frame.of(photo, mask, training_size)
    first = (PlannedPass("step 1", frame.training_size),) if mask.any() else ()
    return Plan("two_step", first + plan_second_step(frame), second_step_note(frame))


def plan_second_step(frame: Frame) -> tuple[PlannedPass, ...]:
    """Returns the pass of step 2, or nothing where it has nothing to add."""
    needed = frame.has_second_step and bool(frame.mask.any())
    return (PlannedPass("step 2", frame.second_size),) if needed else ()


def second_step_note(frame: Frame) -> str:
    """Says where the photo is too small for a full second step, or for any."""
    if not frame.has_second_step:
        return "the photo is no larger than the training size: no second step"
    if frame.second_size != (2 * frame.training_size[0], 2 * frame.training_size[1]):
        return "the photo is smaller than the full second step"
    return ""


def second_step_masks(frame: Frame, rim_px: int | None = None) -> tuple[Mask, Mask, Mask]:
    """Returns the three masks at the second step's size: the whole hole, its eroded core, and the hole without it."""
    hole = scaled_mask(frame.mask, frame.second_size)
    if rim_px is None:
        rim_px = max(1, min(frame.training_size) // 16)
    if rim_px < 1:
        raise ValueError(f"the rim is at least one pixel, not {rim_px}")
    core: Mask = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > rim_px
    return hole, core, hole & ~core


def paint_second_step(paint: Paint, frame: Frame, first: Photo, rim_px: int | None = None) -> Photo:
    """Returns the photo at the second step's size: step 1's result in the core, painted again elsewhere in the hole."""
    hole, _, rim = second_step_masks(frame, rim_px)
    image = stitch(scaled(frame.photo, frame.second_size), scaled(first, frame.second_size), hole)
    return paint_one(paint, image, rim)
