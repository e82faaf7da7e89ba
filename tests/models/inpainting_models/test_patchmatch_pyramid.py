from itertools import pairwise

import numpy as np
import pytest

from inpainting_models.patchmatch_kernels import CHANNELS
from inpainting_models.patchmatch_pyramid import pyramid, roughness


def hole(shape, top, left, height, width):
    mask = np.zeros(shape, bool)
    mask[top : top + height, left : left + width] = True
    return mask


@pytest.mark.parametrize("shape", [(320, 360), (321, 363)])
def test_each_level_is_half_the_one_before_and_the_hole_ends_about_as_wide_as_a_patch(shape):
    photo = np.random.default_rng(0).random((*shape, 3), np.float32)
    levels = pyramid(photo, hole(shape, 60, 60, 90, 90))
    sizes = [level.is_hole.shape for level in levels]
    assert len(levels) == 4
    assert all(np.array_equal(fine, np.multiply(coarse, 2)) for fine, coarse in pairwise(sizes))
    assert 6 <= np.sqrt(levels[-1].is_hole.sum()) <= 15


def test_the_hole_colours_no_known_pixel_of_any_level():
    photo = np.full((160, 160, 3), 0.2, np.float32)
    mask = hole((160, 160), 51, 53, 61, 47)
    photo[mask] = 1
    for level in pyramid(photo, mask):
        pixels = level.image.reshape(*level.is_hole.shape, CHANNELS)
        assert (pixels[level.is_hole == 0][:, :3] == 51).all()
        assert (pixels[level.is_hole == 0][:, 3] == 0).all()


def test_sources_hold_no_pixel_of_the_hole_and_targets_hold_one():
    photo = np.random.default_rng(0).random((100, 120, 3), np.float32)
    for level in pyramid(photo, hole((100, 120), 40, 50, 20, 30)):
        for y, x in np.argwhere(level.is_source):
            assert not level.is_hole[y - 3 : y + 4, x - 3 : x + 4].any()
        for y, x in np.argwhere(level.is_target) + np.array([level.window.top, level.window.left]):
            assert level.is_hole[y - 3 : y + 4, x - 3 : x + 4].any()


def test_a_photo_with_nothing_to_copy_has_no_levels():
    photo = np.zeros((40, 40, 3), np.float32)
    assert pyramid(photo, ~hole((40, 40), 10, 10, 5, 5)) == []


def test_roughness_tells_grain_from_flat_and_does_not_look_into_the_hole():
    rng = np.random.default_rng(0)
    pixels = np.full((60, 120, 3), 100, np.uint8)
    pixels[:, 60:] += rng.integers(0, 40, (60, 60, 1), np.uint8)
    mask = hole((60, 120), 20, 20, 10, 10)
    pixels[mask] = 255
    rough = roughness(pixels, mask)
    assert rough[:, :45].max() == 0
    assert rough[:, 80:].min() > 10
