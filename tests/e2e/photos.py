"""Makes a raw dataset of small real photos: cut out of those that ship with scikit-image."""

from __future__ import annotations

import os
import time
from pathlib import Path

import cv2
import numpy as np
import skimage

SOURCES = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg", "hubble_deep_field.jpg")
HOUR_S = 3600.0


def make_photos(folder: Path, count: int, height: int = 192, width: int = 256) -> Path:
    """Write ``000.jpg`` and so on, each another piece of a photo, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shipped = Path(skimage.__file__).parent / "data"
    pictures = [cv2.imread(str(shipped / name)) for name in SOURCES]
    for number in range(count):
        chance = np.random.Generator(np.random.Philox(number))
        picture = pictures[number % len(pictures)]
        top = int(chance.integers(picture.shape[0] - height + 1))
        left = int(chance.integers(picture.shape[1] - width + 1))
        path = folder / f"{number:03}.jpg"
        cv2.imwrite(str(path), picture[top : top + height, left : left + width])
        make_old(path)
    return folder


def make_old(path: Path) -> None:
    """Make a file look an hour old, as photos do."""
    past = time.time() - HOUR_S
    os.utime(path, (past, past))
