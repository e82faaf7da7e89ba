import numpy as np
import pytest

from inpainting_models.membrane import spread


@pytest.mark.parametrize("shape", [(64, 64), (61, 97), (1, 9), (7, 1)])
def test_what_is_known_stays_and_the_rest_lies_between(shape):
    rng = np.random.default_rng(0)
    values = rng.random((*shape, 2), np.float32)
    known = rng.random(shape) < 0.3
    known[0, 0] = True
    result = spread(values, known)
    assert np.array_equal(result[known], values[known])
    assert values[known].min() - 1e-5 <= result.min() <= result.max() <= values[known].max() + 1e-5


def test_a_slope_goes_on_over_a_hole():
    y, x = np.mgrid[0:120, 0:160].astype(np.float32)
    slope = np.stack([x / 160, y / 120], axis=2)
    known = np.ones((120, 160), bool)
    known[40:80, 50:110] = False
    spoiled = np.where(known[..., None], slope, np.float32(9))
    assert np.abs(spread(spoiled, known) - slope).max() < 0.02


def test_with_nothing_known_all_is_zero():
    assert (spread(np.ones((8, 8, 1), np.float32), np.zeros((8, 8), bool)) == 0).all()
