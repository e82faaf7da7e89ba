"""Chooses for each hole how to fill it, says what it chose and why, and warns where no choice can be good."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inpainting_models.conventional import fill_navier_stokes
from inpainting_models.crops import Box, StoredPhoto, as_float, paint_crops
from inpainting_models.detail import detail_crops, retouch
from inpainting_models.grain import match_grain
from inpainting_models.painting import Cancel, Mask, Photo, Progress, check_stored_photo, stop_if
from inpainting_models.smooth import fill_flat
from inpainting_models.surroundings import Surroundings, look_around

THIN_RADIUS_PX = 4.0
FLAT_STRUCTURE = 0.012
"""Three levels of 255: less than that, the surroundings are a slope of one colour with grain."""
DIM = 0.25
LEAST_DIM = 0.25
"""Darker surroundings count as flat with less, down to this part of it: who lifts a shadow lifts its edges, too."""
WIDE_RADIUS_PX = 150.0
LARGE_SHARE = 0.3


@dataclass(frozen=True)
class Choice:
    """How the holes of one crop are filled."""

    box: Box
    method: str
    """"ns" (diffusion), "flat" (a smooth slope with grain) or "detail" (the photo's own patches)."""
    why: str
    warning: str = ""
    """What a viewer will probably see; empty where the result should hold."""


@dataclass(frozen=True)
class Retouched:
    """A photo and what was done to it."""

    photo: StoredPhoto
    choices: tuple[Choice, ...]


def auto(
    photo: StoredPhoto,
    mask: Mask,
    rng: np.random.Generator | None = None,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Retouched:
    """Fills each crop's holes as `choose` says; known pixels are bit-exact. `rng` is by default one of seed 0.

    A photo of uint8 or uint16 comes back as such, and only a crop at a time becomes floating point: 100 megapixels
    fit into little memory.
    """
    choices = plan_auto(photo, mask, cancel=cancel)
    rng = np.random.default_rng(0) if rng is None else rng
    remaining = iter(enumerate(choices, 1))

    def paint_crop(crop: Photo, hole: Mask) -> Photo:
        number, choice = next(remaining)
        stage = choice.method if len(choices) == 1 else f"{choice.method}, crop {number} of {len(choices)}"
        if choice.method == "detail":
            return retouch(crop, hole, rng, stage=stage, progress=progress, cancel=cancel)
        if progress:
            progress(stage, 0, 1)
        if choice.method == "flat":
            painted = fill_flat(crop, hole, rng, cancel=cancel)
        else:
            painted = match_grain(fill_navier_stokes(crop, hole, cancel=cancel), hole, rng, cancel=cancel)
        if progress:
            progress(stage, 1, 1)
        return painted

    boxes = [choice.box for choice in choices]
    return Retouched(paint_crops(paint_crop, photo, mask, boxes, cancel=cancel), choices)


def plan_auto(photo: StoredPhoto, mask: Mask, *, cancel: Cancel | None = None) -> tuple[Choice, ...]:
    """Returns what `auto` will do in each crop, before it does it."""
    check_stored_photo(photo, mask)

    def chosen(box: Box) -> Choice:
        stop_if(cancel)
        return choose(look_around(as_float(photo[box.slices]), mask[box.slices], cancel=cancel), box)

    return tuple(chosen(box) for box in detail_crops(mask))


def choose(around: Surroundings, box: Box) -> Choice:
    """Decides by the hole's shape first, then by what surrounds it."""
    if around.radius_px <= THIN_RADIUS_PX:
        why = f"the hole is nowhere wider than {2 * around.radius_px:.0f} px: diffusion closes it unseen"
        return Choice(box, "ns", why)
    levels = 255 * around.structure
    if around.structure <= FLAT_STRUCTURE * min(max(around.brightness / DIM, LEAST_DIM), 1):
        why = f"the surroundings are smooth (they differ from a slope by {levels:.1f} levels of 255)"
        return Choice(box, "flat", f"{why}: the slope goes on, with their grain")
    why = f"the surroundings have texture or structure ({levels:.0f} levels of 255): it is copied from them"
    return Choice(box, "detail", why, _warning(around))


def _warning(around: Surroundings) -> str:
    width_px = 2 * around.radius_px
    if around.hole_share > LARGE_SHARE:
        return (
            f"{100 * around.hole_share:.0f} % of the picture around the hole is missing: too much for any method here; "
            "expect invented content and repeats"
        )
    if around.radius_px > WIDE_RADIUS_PX:
        return (
            f"the hole is {width_px:.0f} px wide: texture will hold, but lines and objects that should meet inside it "
            "are guessed; mark less, or in parts"
        )
    return ""
