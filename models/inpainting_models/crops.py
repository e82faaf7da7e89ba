"""Finds the parts of a photo worth looking at: boxes around holes, with room to copy from, neighbours in one box.

Nobody has to hold a hundred megapixels as floating point because of a hole of a hundred pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting_models.painting import Cancel, Mask, Photo, stop_if

StoredPhoto: TypeAlias = NDArray[Any]
"""`(height, width, 3)`, RGB: float32 in [0, 1], or uint8 or uint16 over their whole range."""

LEAST_CONTEXT_PX = 128
MOST_CONTEXT_PX = 640


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: rows `top` to `bottom`, columns `left` to `right`, ends not included."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """What to index an array with to get this part of it."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, by_px: int, shape: tuple[int, ...]) -> Box:
        """Returns the box with `by_px` more on each side, as far as `shape` reaches."""
        return Box(
            max(0, self.top - by_px),
            max(0, self.left - by_px),
            min(shape[0], self.bottom + by_px),
            min(shape[1], self.right + by_px),
        )

    def around(self, other: Box) -> Box:
        """Returns the smallest box that holds both."""
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def overlaps(self, other: Box) -> bool:
        """Says whether the two share a pixel."""
        return (
            self.top < other.bottom and other.top < self.bottom and self.left < other.right and other.left < self.right
        )


def crops_around(
    mask: Mask, *, context: float = 1.0, least_px: int = LEAST_CONTEXT_PX, most_px: int = MOST_CONTEXT_PX
) -> list[Box]:
    """Returns boxes that cover every hole, each with a context of `context` times its hole's longer side.

    The context is at least `least_px` and at most `most_px` on each side, as far as the photo reaches.

    No two of them overlap: holes whose contexts touch share a box, so each is painted knowing of the other.
    """
    boxes: list[Box] = []
    for hole in hole_boxes(mask):
        wanted_px = round(context * max(hole.height, hole.width))
        grown = hole.grown(max(least_px, min(most_px, wanted_px)), mask.shape)
        # A merged box may reach one that its parts did not.
        while touching := [box for box in boxes if box.overlaps(grown)]:
            boxes = [box for box in boxes if not box.overlaps(grown)]
            for box in touching:
                grown = grown.around(box)
        boxes.append(grown)
    return sorted(boxes, key=lambda box: (box.top, box.left))


def hole_boxes(mask: Mask) -> list[Box]:
    """Returns the bounding box of each connected hole (corners connect)."""
    outer = bounding_box(mask)
    if outer is None:
        return []
    # Only the part with holes is labelled: labels take four bytes a pixel.
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask[outer.slices].astype(np.uint8), connectivity=8)
    return [
        Box(int(y) + outer.top, int(x) + outer.left, int(y + height) + outer.top, int(x + width) + outer.left)
        for x, y, width, height, _ in stats[1:]
    ]


def near_holes(mask: Mask, reach_px: int) -> Box:
    """Returns the box around all holes with `reach_px` more on each side; the whole where there is no hole."""
    outer = bounding_box(mask)
    return Box(0, 0, *mask.shape) if outer is None else outer.grown(reach_px, mask.shape)


def bounding_box(mask: Mask) -> Box | None:
    """Returns the smallest box around all holes, or None where there is none."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def paint_crops(
    paint_photo: Callable[[Photo, Mask], Photo],
    photo: StoredPhoto,
    mask: Mask,
    boxes: list[Box],
    *,
    cancel: Cancel | None = None,
) -> StoredPhoto:
    """Returns the photo with the holes in `boxes` filled, crop by crop; its type is kept: float32, uint8 or uint16.

    Only a crop at a time becomes floating point, so memory follows the largest crop and not the photo.
    """
    whole = _whole(photo.dtype)
    stop_if(cancel)
    result = photo.copy()
    for box in boxes:
        stop_if(cancel)
        hole = mask[box.slices]
        crop = as_float(photo[box.slices])
        stop_if(cancel)
        painted = np.clip(paint_photo(crop, np.ascontiguousarray(hole))[hole], 0, 1)
        result[box.slices][hole] = painted if whole == 1 else np.rint(painted * whole)
    return result


def as_float(stored: StoredPhoto) -> Photo:
    """Returns a copy of a part of a photo, stored as float32, uint8 or uint16, as float32 in [0, 1]."""
    photo: Photo = stored.astype(np.float32, order="C")
    whole = _whole(stored.dtype)
    if whole != 1:
        photo /= np.float32(whole)
    return photo


def _whole(dtype: np.dtype[Any]) -> float:
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
