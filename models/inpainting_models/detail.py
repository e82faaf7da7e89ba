"""Paints at the photo's own resolution: a coarse fill says what belongs there, the photo's own patches how it looks.

Crops around clustered holes; in each, any painter fills the hole at its own size; PatchMatch then finds, for every
patch of that fill, one of the photo that looks like it from afar, in coherent pieces, and carries it down to native
pixels; tone and grain follow the rim. So a painter's blur never reaches the photo.
"""

from __future__ import annotations

import numpy as np

from inpainting_models.crops import Box, StoredPhoto, crops_around, paint_crops
from inpainting_models.feather import feathered, grown
from inpainting_models.frame import DEFAULT_TRAINING_SIZE, Frame
from inpainting_models.grain import match_grain
from inpainting_models.painting import Cancel, Mask, Paint, Photo, Progress, check_stored_photo, paint_one, stop_if
from inpainting_models.patchmatch import copied, synthesise
from inpainting_models.plan import Plan, PlannedPass
from inpainting_models.resolution import Size
from inpainting_models.smooth import fill_smooth_with_grain
from inpainting_models.tone import match_rim_tone


def detail(
    paint: Paint | None,
    photo: StoredPhoto,
    mask: Mask,
    training_size: Size | None = None,
    *,
    rng: np.random.Generator | None = None,
    feather_px: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> StoredPhoto:
    """Returns the photo with native-resolution detail in its holes; pixels beyond the feather are bit-exact.

    `paint` sees each crop at `training_size`, as it was trained; without one (None) the photo's own patches decide at
    all sizes. `rng` is by default one of seed 0.
    """
    check_stored_photo(photo, mask)
    rng = np.random.default_rng(0) if rng is None else rng
    hole = grown(mask, feather_px)
    boxes = detail_crops(hole)
    done = 0

    def paint_crop(crop: Photo, crop_hole: Mask) -> Photo:
        nonlocal done
        done += 1
        stage = "detail" if len(boxes) == 1 else f"detail, crop {done} of {len(boxes)}"
        if paint is None:
            return retouch(crop, crop_hole, rng, stage=stage, progress=progress, cancel=cancel)
        frame = Frame.of(crop, crop_hole, training_size)
        image, small_hole = frame.at(frame.training_size)
        stop_if(cancel)
        coarse = frame.finish(paint_one(paint, image, small_hole))
        stop_if(cancel)
        step_px = max(have / seen for have, seen in zip(frame.mask.shape, frame.training_size, strict=True))
        return retouch(
            crop, crop_hole, rng, coarse=coarse, coarse_step_px=step_px, stage=stage, progress=progress, cancel=cancel
        )

    def paint_feathered(crop: Photo, crop_hole: Mask) -> Photo:
        inner = mask[boxes[done].slices]
        return feathered(crop, paint_crop(crop, crop_hole), inner, feather_px)

    return paint_crops(paint_feathered, photo, hole, boxes, cancel=cancel)


def plan_detail(photo: StoredPhoto, mask: Mask, training_size: Size | None = None) -> Plan:
    """Returns the passes that `detail` will make: one for each crop."""
    check_stored_photo(photo, mask)
    boxes = detail_crops(mask)
    size = training_size or DEFAULT_TRAINING_SIZE
    return Plan("detail", tuple(PlannedPass(f"crop {k + 1}", size) for k in range(len(boxes))))


def detail_crops(mask: Mask) -> list[Box]:
    """Returns the crops that are looked at: holes with much to copy from around them."""
    return crops_around(mask, context=2.0, least_px=192)


def retouch(
    photo: Photo,
    mask: Mask,
    rng: np.random.Generator,
    *,
    coarse: Photo | None = None,
    coarse_step_px: float = 1,
    stage: str = "detail",
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Photo:
    """Fills a crop by copying patches, guided by `coarse` where there is one, and matches tone and grain to the rim."""
    level = synthesise(
        photo, mask, rng, coarse=coarse, coarse_step_px=coarse_step_px, stage=stage, progress=progress, cancel=cancel
    )
    if level is None:
        return fill_smooth_with_grain(photo, mask, rng, cancel=cancel)
    painted = match_rim_tone(photo, copied(photo, mask, level), mask, level, cancel=cancel)
    return match_grain(painted, mask, rng, cancel=cancel)
