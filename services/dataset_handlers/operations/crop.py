"""Cuts windows out of images: given, random, or random around the centre."""

from __future__ import annotations

from typing import NamedTuple, Sequence

import numpy as np

from dataset_handlers.image import Image


class Window(NamedTuple):
    """Where a crop lies, in pixels."""

    top: int
    left: int
    height: int
    width: int


def crop(image: Image, window: Window) -> Image:
    """Returns the part of ``image`` under ``window``, as a view; raises ``ValueError`` if it does not lie inside."""
    height, width = image.shape[:2]
    if min(window[:2]) < 0 or window.top + window.height > height or window.left + window.width > width:
        raise ValueError(f"{window} does not lie inside an image of {height}x{width}")
    return image[window.top : window.top + window.height, window.left : window.left + window.width]


def center_crop(size: Sequence[int], crop_size: Sequence[int]) -> Window:
    """Returns the window in the middle of an image of ``size``; raises ``ValueError`` if it is larger than that."""
    return _place(size, crop_size, (0.5, 0.5))


def random_crop(size: Sequence[int], crop_size: Sequence[int], rng: np.random.Generator) -> Window:
    """Returns a window anywhere in an image of ``size``, each place equally likely."""
    return _place(size, crop_size, rng.random(2).tolist())


def random_centered_crop(size: Sequence[int], crop_size: Sequence[int], rng: np.random.Generator) -> Window:
    """Returns a window near the centre of an image of ``size``.

    Its offset from the centre is the mean of three uniform draws: bell-shaped like a normal distribution (standard
    deviation a third of the room there is on each side), and never outside.
    """
    return _place(size, crop_size, rng.random((3, 2)).mean(axis=0).tolist())


def _place(size: Sequence[int], crop_size: Sequence[int], place: Sequence[float]) -> Window:
    rooms = [size[axis] - crop_size[axis] for axis in (0, 1)]
    if min(rooms) < 0:
        raise ValueError(f"a crop of {crop_size[0]}x{crop_size[1]} is larger than the image, {size[0]}x{size[1]}")
    # Half-open draws: each of the room + 1 places is equally likely.
    top, left = (min(int(place[axis] * (rooms[axis] + 1)), rooms[axis]) for axis in (0, 1))
    return Window(top, left, int(crop_size[0]), int(crop_size[1]))
