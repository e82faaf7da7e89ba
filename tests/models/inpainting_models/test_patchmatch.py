import os

import numpy as np
import pytest
from skimage import data

from inpainting_models.painting import Cancelled
from inpainting_models.patchmatch import fill_patchmatch, synthesise, warm_up


@pytest.fixture(scope="module", autouse=True)
def compiled():
    warm_up()


def gray_photo(name, rows=slice(None), columns=slice(None)):
    gray = getattr(data, name)()[rows, columns].astype(np.float32) / 255
    return np.repeat(gray[..., None], 3, axis=2)


def box(shape, top, left, height, width):
    mask = np.zeros(shape[:2], bool)
    mask[top : top + height, left : left + width] = True
    return mask


def fill(photo, mask, seed=0, **options):
    spoiled = photo.copy()
    spoiled[mask] = 1
    return fill_patchmatch(spoiled, mask, np.random.default_rng(seed), **options)


def gradient_energy(photo, where):
    gray = photo.mean(axis=2)
    energy = np.zeros_like(gray)
    energy[:-1] += np.diff(gray, axis=0) ** 2
    energy[:, :-1] += np.diff(gray, axis=1) ** 2
    return energy[where].mean()


def test_every_pixel_of_the_hole_is_a_copy_of_a_known_one_and_the_rest_is_untouched():
    photo = np.random.default_rng(1).random((120, 160, 3), np.float32)
    mask = box(photo.shape, 40, 50, 30, 40)
    result = fill(photo, mask)
    known = {pixel.tobytes() for pixel in photo[~mask]}
    assert all(pixel.tobytes() in known for pixel in result[mask])
    assert np.array_equal(result[~mask], photo[~mask])


@pytest.mark.parametrize("name", ["grass", "gravel"])
def test_texture_stays_as_sharp_as_it_is_around_the_hole(name):
    photo = gray_photo(name, slice(0, 300), slice(0, 300))
    mask = box(photo.shape, 100, 110, 80, 70)
    ratio = gradient_energy(fill(photo, mask), mask) / gradient_energy(photo, mask)
    assert 0.85 < ratio < 1.15


def test_a_lattice_is_continued_in_phase():
    y, x = np.mgrid[0:240, 0:240]
    lattice = ((y % 24 < 4) | (x % 30 < 4)).astype(np.float32)
    photo = np.repeat(lattice[..., None], 3, axis=2) * 0.7 + 0.1
    mask = box(photo.shape, 80, 90, 70, 64)
    assert np.abs(fill(photo, mask) - photo)[mask].mean() < 0.01


def test_a_slanted_edge_goes_on_through_the_hole():
    y, x = np.mgrid[0:200, 0:260].astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.02, (200, 260)).astype(np.float32)
    side = np.where(y > 60 + 0.4 * x, np.float32(0.75), np.float32(0.25)) + noise
    photo = np.clip(np.repeat(side[..., None], 3, axis=2), 0, 1)
    mask = box(photo.shape, 80, 100, 60, 60)
    wrong_side = (fill(photo, mask)[..., 0] > 0.5) != (photo[..., 0] > 0.5)
    assert wrong_side[mask].mean() < 0.05


def test_no_place_is_copied_over_and_over():
    photo = gray_photo("grass")
    mask = box(photo.shape, 150, 150, 180, 180)
    level = synthesise(photo, mask, np.random.default_rng(0))
    used = level.field[level.is_target > 0] // 8
    _, counts = np.unique(used, axis=0, return_counts=True)
    # A cell of 8x8 pixels that is copied whole once counts 64.
    assert np.percentile(counts, 99) < 64 * 4


def test_the_same_seed_gives_the_same_pixels_on_any_number_of_threads(monkeypatch):
    photo = gray_photo("gravel", slice(0, 220), slice(0, 200))
    mask = box(photo.shape, 60, 60, 90, 80)
    results = []
    for cores in (1, 2, 7):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        results.append(fill(photo, mask, seed=4))
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])
    assert not np.array_equal(results[0], fill(photo, mask, seed=5))


@pytest.mark.parametrize(
    "mask",
    [
        box((90, 110), 0, 0, 30, 40),
        box((90, 110), 60, 0, 30, 110),
        box((90, 110), 0, 40, 90, 20),
        ~box((90, 110), 40, 40, 12, 12),
        ~box((90, 110), 40, 40, 3, 3),
        box((90, 110), 5, 5, 1, 1),
    ],
    ids=["corner", "bottom", "from top to bottom", "all but a window", "all but a few pixels", "one pixel"],
)
def test_holes_anywhere_and_of_any_size_are_filled(mask):
    photo = gray_photo("gravel", slice(0, 90), slice(0, 110)) * 0.5
    result = fill(photo, mask)
    assert np.array_equal(result[~mask], photo[~mask])
    # White is what lay in the hole, and nowhere else.
    assert result[mask].max() < 0.9


@pytest.mark.parametrize("shape", [(1, 9), (5, 5), (6, 40), (7, 7), (8, 30)])
def test_photos_smaller_than_a_few_patches_are_filled(shape):
    photo = np.full((*shape, 3), 0.25, np.float32)
    mask = box(photo.shape, 0, 2, 2, 2)
    assert np.abs(fill(photo, mask)[mask] - 0.25).max() < 0.02


def test_progress_tells_each_level_and_may_stop_the_work():
    photo = gray_photo("gravel", slice(0, 220), slice(0, 200))
    mask = box(photo.shape, 60, 60, 90, 80)
    told = []
    fill(photo, mask, progress=lambda *what: told.append(what))
    done = [step for _, step, _ in told]
    assert {(stage, total) for stage, _, total in told} == {("patchmatch", told[0][2])}
    assert done == sorted(set(done))
    assert (done[0], done[-1]) == (0, told[0][2])

    def enough(stage, done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        fill(photo, mask, progress=enough)


def test_nothing_is_copied_from_where_it_is_not_allowed():
    photo = gray_photo("gravel", slice(0, 160), slice(0, 200))
    mask = box(photo.shape, 60, 80, 40, 40)
    allowed = np.zeros_like(mask)
    allowed[:, :70] = True
    level = synthesise(photo, mask, np.random.default_rng(0), allowed=allowed)
    assert level.field[level.is_target > 0][:, 1].max() < 70
