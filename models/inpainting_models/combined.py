"""Both of the seed's ideas: step 1 goes from the rim inwards in passes, step 2 paints rims and small parts again."""

from __future__ import annotations

from inpainting_models.frame import Frame
from inpainting_models.painting import Mask, Paint, Photo, Progress
from inpainting_models.plan import Plan, PlannedPass
from inpainting_models.resolution import Size
from inpainting_models.shrinking_mask import DEFAULT_PASSES, paint_shrinking, shrunken_masks
from inpainting_models.two_step import paint_second_step, plan_second_step, second_step_note


def combined(
    paint: Paint,
    photo: Photo,
    mask: Mask,
    training_size: Size | None = None,
    *,
    passes: int = DEFAULT_PASSES,
    rim_px: int | None = None,
    progress: Progress | None = None,
) -> Photo:
    """Returns the photo painted in `passes` rings at `training_size`, then as step 2 of `two_step`; the rest exact."""
    frame = Frame.of(photo, mask, training_size)
    if not mask.any():
        return photo.copy()
    image, hole = frame.at(frame.training_size)
    second_passes = len(plan_second_step(frame))
    first = paint_shrinking(paint, image, hole, passes, progress=progress, passes_to_follow=second_passes)
    if not second_passes:
        return frame.finish(first)
    second = paint_second_step(paint, frame, first, rim_px)
    if progress:
        total = len(shrunken_masks(hole, passes))
        progress("pass", total, total)
    return frame.finish(second)


def plan_combined(photo: Photo, mask: Mask, training_size: Size | None = None, *, passes: int = DEFAULT_PASSES) -> Plan:
    """Returns the passes that `combined` will make."""
    frame = Frame.of(photo, mask, training_size)
    _, hole = frame.at(frame.training_size)
    count = len(shrunken_masks(hole, passes)) - 1
    first = (PlannedPass("step 1", frame.training_size),) * count
    notes = [f"the hole is too thin for {passes} passes"] if 0 < count < passes else []
    notes += [note for note in [second_step_note(frame)] if note]
    return Plan("combined", first + plan_second_step(frame), "; ".join(notes))
