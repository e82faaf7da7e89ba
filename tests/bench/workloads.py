"""The photos that are measured with: the standard set as it lies, and large ones made of it."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import skimage

STANDARD_COUNT = 1000
LARGE_COUNT = 80
LARGE_SIZE = (1500, 2000)


def source_photos() -> list[Path]:
    """Return real photos: those of DARKROOM_TEST_PHOTOS, or else the few that scikit-image ships."""
    folder = os.environ.get("DARKROOM_TEST_PHOTOS")
    root = Path(folder) if folder else Path(skimage.__file__).parent / "data"
    found = sorted(path for path in root.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if not found:
        raise SystemExit(f"{root} holds no JPEG photos")
    return found


def standard(folder: Path) -> Path:
    """Fill ``folder`` with 1,000 photos, repeating where there are fewer."""
    photos = [path for path in source_photos() if path.stat().st_size < 1_500_000]
    folder.mkdir(parents=True)
    for number in range(STANDARD_COUNT):
        (folder / f"{number:04}.jpg").write_bytes(photos[number % len(photos)].read_bytes())
    return folder


def large(folder: Path) -> Path:
    """Fill ``folder`` with 80 photos of 2000x1500, each a 4x4 mosaic of real ones: real entropy, made composition."""
    photos = source_photos()
    folder.mkdir(parents=True)
    height, width = LARGE_SIZE[0] // 4, LARGE_SIZE[1] // 4
    for number in range(LARGE_COUNT):
        tiles = [
            cv2.resize(cv2.imread(str(photos[(number * 16 + n) % len(photos)])), (width, height)) for n in range(16)
        ]
        mosaic = np.concatenate([np.concatenate(tiles[row * 4 : row * 4 + 4], axis=1) for row in range(4)])
        cv2.imwrite(str(folder / f"{number:03}.jpg"), mosaic, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return folder
