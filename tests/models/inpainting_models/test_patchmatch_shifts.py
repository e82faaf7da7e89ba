import numpy as np

from inpainting_models.patchmatch_pyramid import pyramid
from inpainting_models.patchmatch_shifts import rim_shifts, shifted_sources


def level_of(gray, top, left, size):
    mask = np.zeros(gray.shape, bool)
    mask[top : top + size, left : left + size] = True
    photo = np.repeat(gray.astype(np.float32)[..., None], 3, axis=2)
    return pyramid(photo, mask)[0], mask


def lattice():
    y, x = np.mgrid[0:80, 0:100]
    return 0.2 + 0.6 * ((y % 16 < 3) | (x % 20 < 3))


def test_shifts_are_found_at_the_periods_of_a_lattice():
    level, _ = level_of(lattice(), 34, 42, 12)
    shifts = {tuple(shift) for shift in rim_shifts(level).tolist()}
    assert {(0, 20), (0, -20)} & shifts
    assert {(16, 0), (-16, 0), (16, 20), (-16, -20), (16, -20), (-16, 20)} & shifts


def test_the_shifts_chosen_leave_no_seam_in_a_lattice():
    gray = lattice()
    level, mask = level_of(gray, 34, 42, 12)
    sources = shifted_sources(level, rim_shifts(level))
    assert np.abs(gray[tuple(sources.T)] - gray[mask]).max() < 1e-6


def test_a_hole_that_no_shift_covers_is_left_to_the_other_way():
    level, _ = level_of(lattice(), 34, 42, 12)
    assert shifted_sources(level, np.zeros((0, 2), np.int32)) is None
    assert shifted_sources(level, np.array([[0, 3]], np.int32)) is None
