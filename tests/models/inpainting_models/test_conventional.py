import numpy as np
import pytest

from inpainting_models.conventional import fill_mean, fill_navier_stokes, fill_telea


def slope(height=120, width=160):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([0.2 + 0.5 * x / width, 0.3 + 0.4 * y / height, 0.5 + 0 * x], axis=2).astype(np.float32)


def hole(height=120, width=160):
    mask = np.zeros((height, width), bool)
    mask[50:62, 70:90] = True
    return mask


@pytest.mark.parametrize("fill", [fill_telea, fill_navier_stokes])
def test_a_smooth_slope_is_continued(fill):
    # In OpenCV 5.0, Telea on floating point from 0 to 1 gives numbers around -1 and 2.
    photo, mask = slope(), hole()
    spoiled = photo.copy()
    spoiled[mask] = 1
    result = fill(spoiled, mask)
    assert np.array_equal(result[~mask], photo[~mask])
    assert np.abs(result - photo)[mask].max() < 0.06


@pytest.mark.parametrize("fill", [fill_telea, fill_navier_stokes])
def test_what_lies_in_the_hole_is_not_looked_at(fill):
    photo, mask = slope(), hole()
    dark, light = photo.copy(), photo.copy()
    dark[mask], light[mask] = 0, 1
    assert np.array_equal(fill(dark, mask), fill(light, mask))


@pytest.mark.parametrize("fill", [fill_telea, fill_navier_stokes])
def test_holes_at_the_border_and_in_tiny_photos_are_filled(fill):
    photo = slope(9, 7)
    mask = np.zeros((9, 7), bool)
    mask[0:4, 0:3] = True
    result = fill(photo, mask)
    assert np.isfinite(result).all()
    assert 0 <= result.min() <= result.max() <= 1


def test_the_mean_is_that_of_what_is_known():
    photo, mask = slope(), hole()
    photo[mask] = 0
    assert np.allclose(fill_mean(photo, mask)[mask], photo[~mask].mean(axis=0), atol=1e-5)
