"""The same crop at halved and halved sizes, each with its hole, where patches may come from, and how rough it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting_models.crops import Box
from inpainting_models.painting import Mask, Photo
from inpainting_models.patchmatch_kernels import CHANNELS, REACH

LEAST_SIDE_PX = 4 * (2 * REACH + 1)
LEAST_SOURCES = 64
"""No level is smaller, or has less to copy from: there would be no patches left to choose from."""
COARSE_RADIUS_PX = 3.5
MOST_COARSE_PX = 3000
"""The coarsest hole is no larger: it is filled pixel by pixel."""
HALF_ROUGH = 36.0
"""The mean change from pixel to pixel, in levels, that counts half: grains differ much, lattices are all rough."""


@dataclass
class Level:
    """One size of the crop, while it is being painted."""

    image: NDArray[np.uint8]
    """`(height, width * 4)`; painting changes its hole."""
    is_hole: NDArray[np.uint8]
    is_source: NDArray[np.uint8]
    """1 where a patch's centre may be copied from: all of the patch is known."""
    window: Box
    """The bounding box of all patch centres that touch the hole."""
    is_target: NDArray[np.uint8]
    """1, within the window, where the patch touches the hole."""
    field: NDArray[np.int32]
    """`(rows, columns, 2)` within the window: each patch's source centre."""

    def copy(self) -> Level:
        """Returns a level that can be painted without changing this one."""
        return replace(self, image=self.image.copy(), field=self.field.copy())


def sources_of(
    level: Level, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Returns where the pixels at `rows` and `columns` of the hole are copied from."""
    height, width = level.is_hole.shape
    # At the border no patch is centred: the nearest centre's patch reaches there.
    centre_rows, centre_columns = np.clip(rows, REACH, height - 1 - REACH), np.clip(columns, REACH, width - 1 - REACH)
    field = level.field[centre_rows - level.window.top, centre_columns - level.window.left]
    return field[:, 0] + rows - centre_rows, field[:, 1] + columns - centre_columns


def pyramid(
    photo: Photo, mask: Mask, allowed: Mask | None = None, check: Callable[[], None] = lambda: None
) -> list[Level]:
    """Returns the levels from the native size to one where the hole is about as wide as a patch.

    `allowed` marks what may be copied from; by default all that is known. Levels without any source are left out, so
    the list may be empty. `check` is called now and then and may raise.
    """
    radius_px = float(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3).max())
    area_px = int(np.count_nonzero(mask))
    count = 1
    while (radius_px / 2 ** (count - 1) > COARSE_RADIUS_PX or area_px / 4 ** (count - 1) > MOST_COARSE_PX) and min(
        mask.shape
    ) / 2**count >= LEAST_SIDE_PX:
        count += 1
    image, hole, usable = _padded(photo, mask, mask if allowed is None else mask | ~allowed, 2 ** (count - 1))
    levels: list[Level] = []
    for index in range(count):
        check()
        if index:
            size = hole.shape[1] // 2, hole.shape[0] // 2
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            # A pixel is a hole as soon as one of its four is, and usable only where all four are.
            hole = hole.reshape(size[1], 2, size[0], 2).max(axis=(1, 3))
            usable = usable.reshape(size[1], 2, size[0], 2).min(axis=(1, 3))
        level = _level(image, hole, usable)
        if np.count_nonzero(level.is_source) < (LEAST_SOURCES if index else 1):
            break
        levels.append(level)
    return levels


def _padded(
    photo: Photo, mask: Mask, refused: Mask, multiple: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Pads at the bottom and right, so that every halving is exact; nothing is copied from there."""
    height, width = mask.shape
    bottom, right = -height % multiple, -width % multiple
    pixels = np.empty((height, width, CHANNELS), np.uint8)
    # OpenCV rounds and clips at once: no copy in floating point is made.
    colours = cv2.convertScaleAbs(photo, alpha=255)
    pixels[..., :3] = colours
    pixels[..., 3] = roughness(colours, mask)
    pixels = cv2.copyMakeBorder(pixels, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    hole = cv2.copyMakeBorder(mask.astype(np.uint8), 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    usable = cv2.copyMakeBorder((~refused).astype(np.uint8), 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=0)
    return pixels, hole, usable


def roughness(pixels: NDArray[np.uint8], mask: Mask, width_px: int = 15) -> NDArray[np.uint8]:
    """Returns how much brightness changes around each pixel, over known pixels only, scaled to count like a colour.

    Without it grass is repaired with asphalt of its mean colour (Newson et al. 2014 use such a feature).
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    change = cv2.convertScaleAbs(cv2.Sobel(gray, cv2.CV_16S, 1, 0, ksize=1))
    change = cv2.add(change, cv2.convertScaleAbs(cv2.Sobel(gray, cv2.CV_16S, 0, 1, ksize=1)))
    # A gradient that reaches into the hole is none.
    known = 1 - cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    kernel = (width_px, width_px)
    mean = cv2.boxFilter(change * known, cv2.CV_32F, kernel)
    mean /= np.maximum(cv2.boxFilter(known, cv2.CV_32F, kernel), 1e-3)
    rough: NDArray[np.uint8] = cv2.convertScaleAbs(mean / (mean + HALF_ROUGH), alpha=255)
    return rough


def _level(image: NDArray[np.uint8], hole: NDArray[np.uint8], usable: NDArray[np.uint8]) -> Level:
    patch = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    height, width = hole.shape
    touched = cv2.dilate(hole, patch, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    is_source = cv2.erode(usable, patch, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    inside = np.zeros_like(touched)
    inside[REACH : height - REACH, REACH : width - REACH] = 1
    touched &= inside
    rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
    # A hole in a corner reaches beyond the centres of its patches: the window holds its pixels too.
    hole_rows, hole_columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    window = Box(
        int(min(rows[0], hole_rows[0])),
        int(min(columns[0], hole_columns[0])),
        int(max(rows[-1], hole_rows[-1])) + 1,
        int(max(columns[-1], hole_columns[-1])) + 1,
    )
    return Level(
        image=np.ascontiguousarray(image).reshape(height, width * CHANNELS),
        is_hole=hole,
        is_source=is_source,
        window=window,
        is_target=np.ascontiguousarray(touched[window.slices]),
        field=np.zeros((window.height, window.width, 2), np.int32),
    )
