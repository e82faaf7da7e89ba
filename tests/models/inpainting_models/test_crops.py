import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inpainting_models.crops import Box, bounding_box, crops_around, hole_boxes, paint_crops
from inpainting_models.painting import Cancelled


def mask_with(shape, *boxes):
    mask = np.zeros(shape, bool)
    for box in boxes:
        mask[box.slices] = True
    return mask


def test_holes_far_apart_get_a_crop_each_and_near_ones_share():
    near = mask_with((400, 600), Box(50, 50, 60, 60), Box(50, 100, 60, 110))
    far = mask_with((400, 600), Box(50, 50, 60, 60), Box(300, 500, 310, 510))
    assert crops_around(near, least_px=30) == [Box(20, 20, 90, 140)]
    assert crops_around(far, least_px=30) == [Box(20, 20, 90, 90), Box(270, 470, 340, 540)]


def test_the_context_grows_with_the_hole():
    mask = mask_with((1000, 1000), Box(400, 400, 500, 600))
    assert crops_around(mask, context=1, least_px=10) == [Box(200, 200, 700, 800)]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(0, 20))
def test_crops_cover_every_hole_once_and_never_overlap(seed, holes, context):
    rng = np.random.default_rng(seed)
    mask = np.zeros((90, 120), bool)
    for _ in range(holes):
        y, x = rng.integers(0, 90), rng.integers(0, 120)
        mask[y : y + rng.integers(1, 9), x : x + rng.integers(1, 9)] = True
    covered = np.zeros(mask.shape, int)
    for box in crops_around(mask, context=0.5, least_px=context):
        covered[box.slices] += 1
    assert covered.max(initial=0) <= 1
    assert (covered[mask] == 1).all()


def test_no_hole_no_crop():
    mask = np.zeros((10, 10), bool)
    assert bounding_box(mask) is None
    assert hole_boxes(mask) == crops_around(mask) == []


def test_corners_connect_holes():
    mask = np.zeros((10, 10), bool)
    mask[3, 3] = mask[4, 4] = True
    assert hole_boxes(mask) == [Box(3, 3, 5, 5)]


@pytest.mark.parametrize(("dtype", "whole"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_a_photo_keeps_its_type_and_its_known_pixels(dtype, whole):
    photo = (np.random.default_rng(0).random((60, 80, 3)) * whole).astype(dtype)
    mask = mask_with((60, 80), Box(20, 20, 30, 30))
    seen = []

    def half(crop, hole):
        seen.append((crop.dtype, crop.shape, float(crop.max()) <= 1))
        return np.full_like(crop, 0.5)

    result = paint_crops(half, photo, mask, crops_around(mask, context=0, least_px=5))
    assert result.dtype == dtype
    assert np.array_equal(result[~mask], photo[~mask])
    assert np.abs(result[mask].astype(float) - whole / 2).max() <= 0.5
    assert seen == [(np.float32, (20, 20, 3), True)]


def test_painting_stops_between_crops():
    photo, mask = np.zeros((60, 80, 3), np.float32), mask_with((60, 80), Box(20, 20, 30, 30))
    with pytest.raises(Cancelled):
        paint_crops(lambda crop, hole: crop, photo, mask, [Box(10, 10, 40, 40)], cancel=lambda: True)
