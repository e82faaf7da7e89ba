"""Crops lie inside their image, and where they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_handlers.operations.crop import Window, center_crop, crop, random_centered_crop, random_crop


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 40), st.integers(0, 40), st.integers(0, 2**32))
def test_a_crop_lies_inside(height: int, width: int, more_y: int, more_x: int, seed: int) -> None:
    image = np.zeros((height + more_y, width + more_x, 3), np.uint8)
    rng = np.random.default_rng(seed)
    size, crop_size = image.shape[:2], (height, width)
    for window in (
        random_crop(size, crop_size, rng),
        random_centered_crop(size, crop_size, rng),
        center_crop(size, crop_size),
    ):
        assert crop(image, window).shape == (height, width, 3)


def test_a_random_crop_is_anywhere_with_equal_chance() -> None:
    rng = np.random.default_rng(1)
    tops = [random_crop((14, 10), (10, 10), rng).top for _ in range(5000)]
    counts = np.bincount(tops, minlength=5)
    assert counts.min() > 900
    assert len(counts) == 5


def test_a_centred_crop_is_near_the_centre() -> None:
    rng = np.random.default_rng(1)
    tops = np.array([random_centered_crop((300, 300), (100, 100), rng).top for _ in range(4000)])
    assert abs(tops.mean() - 100) < 2
    # A third of the room of 100 on each side.
    assert abs(tops.std() - 100 / 3) < 2
    assert tops.min() >= 0
    assert tops.max() <= 200


def test_the_middle_is_the_middle() -> None:
    assert center_crop((10, 20), (4, 8)) == Window(3, 6, 4, 8)
    assert center_crop((5, 5), (5, 5)) == Window(0, 0, 5, 5)


def test_a_crop_larger_than_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="a crop of 20x5 is larger than the image, 10x10"):
        random_crop((10, 10), (20, 5), np.random.default_rng(0))
    with pytest.raises(ValueError, match="does not lie inside"):
        crop(np.zeros((10, 10), np.uint8), Window(5, 5, 6, 2))
