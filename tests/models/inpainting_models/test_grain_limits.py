import numpy as np
import pytest

from inpainting_models.grain_limits import before_cut, with_grain


@pytest.mark.parametrize("mean", [0.2, 0.5, 1.0, 2.0, 3.5])
def test_what_is_cut_off_has_the_wanted_mean_and_strength(mean):
    means, factors = before_cut(np.array([mean], np.float32))
    cut = np.maximum(means + factors * np.random.default_rng(0).standard_normal(200_000), 0)
    assert abs(cut.mean() - mean) < 0.02
    assert abs(cut.std() - 1) < 0.02


def test_black_without_any_mean_stays_black():
    mean, factor = before_cut(np.zeros(1, np.float32))
    assert mean == factor == 0


def test_in_the_middle_grain_is_only_added():
    rng = np.random.default_rng(0)
    values = np.full((1000, 3), 0.5, np.float32)
    grain = rng.normal(0, 0.02, (1000, 3)).astype(np.float32)
    assert np.array_equal(with_grain(values, grain, values), values + grain)


def test_a_copy_with_texture_of_its_own_keeps_it():
    rng = np.random.default_rng(0)
    texture = rng.uniform(0.006, 0.014, (50_000, 1)).astype(np.float32)
    grain = rng.normal(0, 0.008, (50_000, 1)).astype(np.float32)
    means = np.full_like(texture, 0.01)
    result = with_grain(texture, grain, means)
    assert abs(result.mean() - 0.01) < 0.001
    assert np.corrcoef(result[:, 0], texture[:, 0])[0, 1] > 0.1
