"""Joins all that a request marks to the one hole of a photo, with its soft edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inpainting import masks
from inpainting.task import Shapes
from inpainting_models.crops import Box
from inpainting_models.painting import Cancel, Cancelled, Mask
from service_kit.errors import InvalidArgument

MAX_SHAPES = 1000
MAX_GROW_PX = 500
MAX_FEATHER_PX = 100


@dataclass(frozen=True)
class Hole:
    """What is painted, and how much of the painting each pixel gets."""

    mask: Mask
    """All that has to be painted, the soft edge included."""
    core: Mask
    """What was marked; beyond it the photo shines through."""
    feather_px: int

    def weight(self, box: Box) -> npt.NDArray[Any]:
        """Return the painting's share in a box that cuts no hole: 1 in the core, 0 where nothing changes."""
        core = np.ascontiguousarray(self.core[box.slices])
        return masks.feather(core, self.feather_px) if self.feather_px else core


def check_shapes(shapes: Shapes, has_image: bool) -> None:
    """Refuse what is wrong for any photo. Raises `InvalidArgument` naming the fields."""
    count = len(shapes.boxes) + len(shapes.polygons) + len(shapes.strokes)
    violations = []
    if not has_image and not count:
        violations.append(("mask", "marks nothing: set image, boxes, polygons or strokes"))
    if count > MAX_SHAPES:
        violations.append(("mask", f"has {count} shapes; at most {MAX_SHAPES} are taken, send an image"))
    if not 0 <= shapes.grow_px <= MAX_GROW_PX:
        violations.append(("mask.grow_px", f"must be from 0 to {MAX_GROW_PX}, not {shapes.grow_px}"))
    if not 0 <= shapes.feather_px <= MAX_FEATHER_PX:
        violations.append(("mask.feather_px", f"must be from 0 to {MAX_FEATHER_PX}, not {shapes.feather_px}"))
    if violations:
        raise InvalidArgument.of(violations)


def make_hole(
    shape: tuple[int, int], shapes: Shapes, image: bytes | None, max_pixels: int, cancel: Cancel = lambda: False
) -> Hole:
    """Return the hole of a photo of ``shape`` `(height, width)`; an empty one is fine.

    Raises `InvalidArgument` naming the field: sizes that differ, shapes outside the photo, a hole that is everything.
    """
    core = np.zeros(shape, bool) if image is None else masks.image_mask(image, shape, max_pixels, "mask.image")
    for drawn in _drawn(shape, shapes):
        # A thousand shapes on a hundred megapixels take a while.
        if cancel():
            raise Cancelled
        core |= drawn
    if shapes.grow_px:
        core = masks.grow(core, shapes.grow_px, "mask.grow_px")
    # The soft edge is above 0 less than one pixel beyond its width.
    painted = masks.grow(core, shapes.feather_px + 1, "mask.feather_px") if shapes.feather_px else core
    if painted.all():
        what = "the mask" if core.all() else "the mask with its soft edge"
        raise InvalidArgument.of([("mask", f"{what} covers the whole photo: nothing is left to paint from")])
    return Hole(painted, core, shapes.feather_px)


def _drawn(shape: tuple[int, int], shapes: Shapes) -> Iterator[Mask]:
    for number, box in enumerate(shapes.boxes):
        yield masks.box_mask(shape, box, f"mask.boxes[{number}]")
    for number, points in enumerate(shapes.polygons):
        yield masks.polygon_mask(shape, points, f"mask.polygons[{number}]")
    for number, (points, width_px) in enumerate(shapes.strokes):
        yield masks.stroke_mask(shape, points, width_px, f"mask.strokes[{number}]")
