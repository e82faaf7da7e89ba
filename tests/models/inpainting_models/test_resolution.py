import numpy as np
import pytest

from inpainting_models.resolution import scaled, scaled_mask


@pytest.mark.parametrize("size", [(20, 31), (64, 48), (100, 97), (130, 20), (20, 130), (50, 60), (50, 50)])
def test_no_colour_of_a_hole_leaks_into_what_counts_as_known(size):
    mask = np.zeros((50, 60), bool)
    mask[20:30, 25:41] = True
    photo = np.full((50, 60, 3), 0.25, np.float32)
    spoiled = photo.copy()
    spoiled[mask] = 1.0
    known = ~scaled_mask(mask, size)
    assert known.shape == size
    assert known.any()
    assert np.abs(scaled(spoiled, size)[known] - 0.25).max() < 1e-6


def test_a_hole_of_one_pixel_survives_any_reduction():
    mask = np.zeros((1000, 700), bool)
    mask[501, 333] = True
    assert scaled_mask(mask, (10, 7)).sum() == 1


def test_the_same_size_changes_nothing():
    photo = np.random.default_rng(0).random((12, 13, 3), np.float32)
    assert np.array_equal(scaled(photo, (12, 13)), photo)
