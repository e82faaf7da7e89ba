"""Draws photos for the tests of handlers, so that a test needs no file of anybody's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import List, Sequence, Union

import numpy as np

from dataset_handlers.image import Image


def make_photos(
    folder: Union[str, "os.PathLike[str]"], count: int = 12, size: Sequence[int] = (180, 240), suffix: str = ".jpg"
) -> List[Path]:
    """Writes ``photo-00.jpg`` and so on into ``folder``, the same each time; returns the files.

    Soft colours, a few shapes, a little grain. ``size`` is ``(height, width)``, ``suffix`` is ``.jpg`` or ``.png``.
    """
    from dataset_handlers.operations import encode_jpeg, encode_png

    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        photo = draw_photo(np.random.default_rng(number), size)
        path = Path(folder, f"photo-{number:02}{suffix}")
        path.write_bytes(encode_png(photo) if suffix == ".png" else encode_jpeg(photo))
        paths.append(path)
    return paths


def draw_photo(rng: np.random.Generator, size: Sequence[int]) -> Image:
    """Returns one such picture, RGB."""
    import cv2

    height, width = size
    soft = cv2.resize(rng.integers(0, 256, (4, 5, 3)).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(6):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        radius = int(rng.integers(2, max(3, min(height, width) // 3)))
        cv2.circle(soft, centre, radius, rng.integers(0, 256, 3).tolist(), -1, cv2.LINE_AA)
    picture: Image = np.clip(soft + rng.normal(0, 4, soft.shape), 0, 255).astype(np.uint8)
    return picture
