import cv2
import numpy as np

from inpainting_models.grain import fine_detail, grain_like, grain_sample, ring_around
from inpainting_models.smooth import fill_smooth_with_grain


def grainy_photo(seed=0, height=200, width=240):
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.standard_normal((height, width, 3)).astype(np.float32), (0, 0), 0.8)
    return np.clip(0.5 + 0.06 * noise, 0, 1).astype(np.float32)


def hole(height=200, width=240):
    mask = np.zeros((height, width), bool)
    mask[80:130, 90:150] = True
    return mask


def gradient_energy(photo, where):
    gray = photo.mean(axis=2)
    down, right = np.gradient(gray)
    return (down**2 + right**2)[where].mean()


def test_grain_has_the_energy_and_the_spectrum_of_its_sample():
    photo = grainy_photo()
    sample = grain_sample(photo, hole())
    grain = grain_like(sample, (128, 128), np.random.default_rng(1))
    assert abs(grain.std() / sample.std() - 1) < 0.1
    ours, theirs = (np.corrcoef(g[:, 1:].ravel(), g[:, :-1].ravel())[0, 1] for g in (grain, sample))
    assert abs(ours - theirs) < 0.1


def test_a_filled_hole_is_as_grainy_as_its_surroundings():
    photo, mask = grainy_photo(), hole()
    filled = fill_smooth_with_grain(photo, mask, np.random.default_rng(0))
    inside = np.zeros_like(mask)
    inside[84:126, 94:146] = True
    assert 0.7 < gradient_energy(filled, inside) / gradient_energy(photo, inside) < 1.3
    assert np.array_equal(filled[~mask], photo[~mask])


def test_the_same_generator_gives_the_same_grain():
    photo, mask = grainy_photo(), hole()
    one, two, other = (fill_smooth_with_grain(photo, mask, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_grain_is_taken_from_known_pixels_only():
    photo, mask = grainy_photo(), hole()
    spoiled = photo.copy()
    spoiled[mask] = 1
    assert np.array_equal(grain_sample(photo, mask), grain_sample(spoiled, mask))
    assert (fine_detail(spoiled, ~mask)[mask] == 0).all()


def test_a_photo_without_a_whole_window_gets_no_grain():
    photo = grainy_photo(height=5, width=5)
    mask = np.zeros((5, 5), bool)
    mask[2, 2] = True
    assert grain_sample(photo, mask) is None
    assert np.isfinite(fill_smooth_with_grain(photo, mask, np.random.default_rng(0))).all()


def test_the_ring_is_known_and_near():
    mask = hole()
    ring = ring_around(mask, 10)
    assert not (ring & mask).any()
    assert ring[79, 100]
    assert not ring[60, 100]
