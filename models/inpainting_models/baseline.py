"""The plainest strategy: paint the whole photo at the model's own size, enlarge the result, keep the hole of it."""

from __future__ import annotations

from inpainting_models.frame import Frame
from inpainting_models.painting import Mask, Paint, Photo, Progress, paint_one
from inpainting_models.plan import Plan, PlannedPass
from inpainting_models.resolution import Size


def baseline(
    paint: Paint,
    photo: Photo,
    mask: Mask,
    training_size: Size | None = None,
    *,
    progress: Progress | None = None,
) -> Photo:
    """Returns the photo with its hole painted at `training_size` and enlarged bicubically; the rest bit-exact."""
    frame = Frame.of(photo, mask, training_size)
    if not mask.any():
        return photo.copy()
    if progress:
        progress("pass", 0, 1)
    image, hole = frame.at(frame.training_size)
    painted = paint_one(paint, image, hole)
    if progress:
        progress("pass", 1, 1)
    return frame.finish(painted)


def plan_baseline(photo: Photo, mask: Mask, training_size: Size | None = None) -> Plan:
    """Returns the one pass that `baseline` will make, or none for an empty mask."""
    frame = Frame.of(photo, mask, training_size)
    return Plan("baseline", (PlannedPass("step 1", frame.training_size),) if mask.any() else ())
