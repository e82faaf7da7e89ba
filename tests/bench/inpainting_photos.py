"""Makes the photos that retouching is measured with: mosaics of real ones, so that compression has real work."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import workloads
from PIL import Image

LARGE_PIXELS = 4_000_000
SMALL_TILE_PX = 500
CUT_STEP_PX = 150
JPEG_QUALITY = 92
# In the middle of the first tile, where the large photos have texture and edges all around.
CENTRE = (1400, 1060)

Box = tuple[int, int, int, int]
"""x, y, width, height."""


def large_photos() -> list[Path]:
    """Return the photos of 4 megapixels or more in DARKROOM_TEST_PHOTOS or in `hires` beside it; perhaps none."""
    folder = os.environ.get("DARKROOM_TEST_PHOTOS")
    if not folder:
        return []
    near = [path for path in sorted(Path(folder).iterdir()) if path.suffix.lower() in (".jpg", ".jpeg")]
    beside = sorted((Path(folder).parent / "hires").glob("*.[jJ][pP]*[gG]"))
    return [path for path in (*near, *beside) if _pixels(path) >= LARGE_PIXELS]


def make_photo(path: Path, width: int, height: int) -> Path:
    """Write a JPEG of that size: large photos at their own resolution side by side, or small ones made 500x500."""
    photos = large_photos()
    if photos:
        tiles = [cv2.imread(str(photo)) for photo in photos]
        rows, columns = (min(tile.shape[axis] for tile in tiles) for axis in (0, 1))
        tiles = [tile[:rows, :columns] for tile in tiles]
    else:
        rows = columns = SMALL_TILE_PX
        tiles = [cv2.resize(cv2.imread(str(photo)), (columns, rows)) for photo in workloads.source_photos()[:64]]
    canvas = np.empty((height, width, 3), np.uint8)
    number = 0
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            part = canvas[top : top + rows, left : left + columns]
            part[:] = tiles[number % len(tiles)][: part.shape[0], : part.shape[1]]
            number += 1
    return write(path, canvas)


def cut(source: Path, paths: Sequence[Path], width: int, height: int) -> list[Path]:
    """Write different parts of a photo, all of that size; their formats follow from the paths' endings."""
    pixels = cv2.imread(str(source))
    across = (pixels.shape[1] - width) // CUT_STEP_PX
    for number, path in enumerate(paths):
        top, left = number // across * CUT_STEP_PX, number % across * CUT_STEP_PX
        write(path, pixels[top : top + height, left : left + width])
    return list(paths)


def write(path: Path, pixels: np.ndarray) -> Path:
    """Write pixels as OpenCV has them, BGR."""
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if path.suffix == ".jpg" else []
    if not cv2.imwrite(str(path), pixels, options):
        raise OSError(f"{path} could not be written")
    return path


def hole(pixels: int, share: float) -> Box:
    """Return a square around the usual place that covers so much of a photo with so many pixels."""
    side = round((pixels * share) ** 0.5)
    return CENTRE[0] - side // 2, CENTRE[1] - side // 2, side, side


def _pixels(path: Path) -> int:
    with Image.open(path) as photo:
        return photo.width * photo.height
