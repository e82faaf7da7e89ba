"""Makes the hole of what marks it: an image (white = hole), a box, polygon or stroke; grown and feathered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from inpainting import codec
from inpainting.codec_depth import eight_bits
from inpainting.image_header import MAX_PIXELS
from service_kit.errors import InvalidArgument

Mask: TypeAlias = npt.NDArray[np.bool_]
"""`(height, width)` as the photo is seen upright, True = hole."""

Point = tuple[float, float]
"""`(x, y)` in the upright photo's pixels; (0, 0) is the upper left corner of the first one."""

WHITE = 128
"""From this level of 255 upwards a mask's pixel is hole."""
LARGEST_GROWTH_PX = 1000
# Parts of a pixel by which the drawing library takes coordinates.
_SHIFT = 4
_MOST_POINTS = 100_000


def image_mask(data: bytes, shape: Sequence[int], max_pixels: int = MAX_PIXELS, field: str = "mask") -> Mask:
    """Return the mask of an image file: white (brightness of 128 and more) is hole; transparent pixels are not.

    Raises `BadPhoto` and `PhotoTooLarge` like a photo's file, and InvalidArgument where the sizes differ.
    """
    image = codec.decode(data, max_pixels, field)
    if (image.height, image.width) != (shape[0], shape[1]):
        sizes = f"the mask has {image.width}x{image.height} pixels, the photo {shape[1]}x{shape[0]}"
        raise InvalidArgument.of([(field, f"{sizes}; they must be the same, seen upright")])
    pixels = eight_bits(image.pixels)
    grey = pixels[:, :, 0] if pixels.shape[2] == 1 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    hole = grey >= WHITE
    if image.alpha is not None:
        hole &= eight_bits(image.alpha) >= WHITE
    return np.asarray(hole)


def box_mask(shape: Sequence[int], box: Sequence[float], field: str = "box") -> Mask:
    """Return the mask of a box `(left, top, width, height)`; what sticks out of the photo is cut off.

    Raises InvalidArgument for a box without area and for one that lies outside.
    """
    if len(box) != 4 or not all(math.isfinite(value) for value in box):
        raise InvalidArgument.of([(field, f"a box is left,top,width,height, not {_text(box)}")])
    left, top, width, height = box
    if width <= 0 or height <= 0:
        raise InvalidArgument.of([(field, f"the box is {width:g} wide and {height:g} high; both must be more than 0")])
    rows = slice(max(0, math.floor(top)), max(0, math.ceil(top + height)))
    columns = slice(max(0, math.floor(left)), max(0, math.ceil(left + width)))
    mask = _empty(shape)
    mask[rows, columns] = 1
    return _inside(mask, f"the box {_text(box)}", field)


def polygon_mask(shape: Sequence[int], points: Sequence[Point], field: str = "polygon") -> Mask:
    """Return the mask of a filled polygon; where it crosses itself, what is enclosed an odd number of times.

    Raises InvalidArgument for fewer than 3 points and for one that lies outside the photo.
    """
    if len(points) < 3:
        raise InvalidArgument.of([(field, f"a polygon has at least 3 points, not {len(points)}")])
    mask = _empty(shape)
    cv2.fillPoly(mask, [_fixed(points, shape, field)], 1, shift=_SHIFT)
    return _inside(mask, "the polygon", field)


def stroke_mask(shape: Sequence[int], points: Sequence[Point], width_px: float, field: str = "stroke") -> Mask:
    """Return the mask of a brush stroke with round ends; one point is a dot.

    Raises InvalidArgument for no point, a width of 0 or less, and for one that lies outside the photo.
    """
    if not points:
        raise InvalidArgument.of([(field, "a stroke has at least 1 point")])
    if not (math.isfinite(width_px) and 0 < width_px <= 2 * max(shape[0], shape[1])):
        raise InvalidArgument.of(
            [(field, f"a stroke's width is more than 0 and at most twice the photo, not {width_px:g}")]
        )
    mask = _empty(shape)
    fixed = _fixed(points, shape, field)
    cv2.polylines(mask, [fixed], False, 1, max(1, round(width_px)), shift=_SHIFT)
    for x, y in fixed.tolist():
        cv2.circle(mask, (x, y), max(0, round(width_px * (1 << _SHIFT) / 2)), 1, cv2.FILLED, shift=_SHIFT)
    return _inside(mask, "the stroke", field)


def union(masks: Sequence[Mask]) -> Mask:
    """Return what any of the masks (at least one, of one shape) marks."""
    joined = masks[0].copy()
    for mask in masks[1:]:
        joined |= mask
    return joined


def grow(mask: Mask, by_px: int, field: str = "grow_px") -> Mask:
    """Return the mask grown by so many pixels all around, with round corners; shrunk, where it is negative."""
    if abs(by_px) > LARGEST_GROWTH_PX:
        raise InvalidArgument.of([(field, f"masks grow by at most {LARGEST_GROWTH_PX} pixels, not {by_px}")])
    window = _around(mask, max(0, by_px) + 1)
    if by_px == 0 or window is None:
        return mask.copy()
    part = mask[window]
    grown = np.zeros_like(mask)
    if by_px > 0:
        grown[window] = cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= by_px
    else:
        # Beyond the photo's edge there is nothing known: the mask does not shrink from there.
        padded = np.pad(part, 1, mode="edge").astype(np.uint8)
        grown[window] = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1] > -by_px
    return grown


def feather(mask: Mask, over_px: int, field: str = "feather_px") -> npt.NDArray[np.float32]:
    """Return how much of the painting each pixel gets: 1 in the hole, falling to 0 over so many pixels around it.

    Pixels farther out are exactly 0 and stay as they are; the painter has to fill all that is not 0.
    """
    if not 0 <= over_px <= LARGEST_GROWTH_PX:
        raise InvalidArgument.of([(field, f"feathers are 0 to {LARGEST_GROWTH_PX} pixels wide, not {over_px}")])
    weight = mask.astype(np.float32)
    window = _around(mask, over_px + 1)
    if over_px == 0 or window is None:
        return weight
    away = cv2.distanceTransform((~mask[window]).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # The first pixel outside is one away; a cosine leaves no edge at either end.
    share = np.clip(1 - away / (over_px + 1), 0, 1)
    weight[window] = 0.5 - 0.5 * np.cos(np.pi * share)
    weight[mask] = 1
    return weight


def bounds(mask: npt.NDArray[Any]) -> tuple[int, int, int, int] | None:
    """Return `(top, left, height, width)` of all that is not 0; None for an empty mask."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


def _around(mask: Mask, px: int) -> tuple[slice, slice] | None:
    found = bounds(mask)
    if found is None:
        return None
    top, left, height, width = found
    return slice(max(0, top - px), top + height + px), slice(max(0, left - px), left + width + px)


def _empty(shape: Sequence[int]) -> npt.NDArray[np.uint8]:
    return np.zeros((shape[0], shape[1]), np.uint8)


def _inside(mask: npt.NDArray[np.uint8], what: str, field: str) -> Mask:
    if not mask.any():
        raise InvalidArgument.of([(field, f"{what} lies outside the photo of {mask.shape[1]}x{mask.shape[0]} pixels")])
    return mask.astype(bool)


def _fixed(points: Sequence[Point], shape: Sequence[int], field: str) -> npt.NDArray[np.int32]:
    """Return the points as the drawing library takes them: fixed point, pixel centres at whole numbers."""
    if len(points) > _MOST_POINTS:
        raise InvalidArgument.of([(field, f"at most {_MOST_POINTS} points are taken, not {len(points)}")])
    values = np.asarray(points, np.float64)
    if values.ndim != 2 or values.shape[1] != 2 or not np.isfinite(values).all():
        raise InvalidArgument.of([(field, "each point is a pair of finite numbers, x,y")])
    reach = 4 * max(shape[0], shape[1])
    return np.rint((np.clip(values, -reach, reach) - 0.5) * (1 << _SHIFT)).astype(np.int32)


def _text(values: Sequence[float]) -> str:
    return ",".join(f"{value:g}" for value in values)
