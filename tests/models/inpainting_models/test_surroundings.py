import numpy as np

from inpainting_models.surroundings import look_around


def hole(shape=(200, 240), top=80, left=90, height=40, width=60):
    mask = np.zeros(shape, bool)
    mask[top : top + height, left : left + width] = True
    return mask


def test_a_slope_with_grain_has_no_structure_and_an_edge_has():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:200, 0:240].astype(np.float32)
    grain = rng.normal(0, 0.02, (200, 240)).astype(np.float32)
    sky = np.repeat((0.4 + 0.2 * x / 240 + 0.1 * (y / 200) ** 2 + grain)[..., None], 3, axis=2)
    roof = sky.copy()
    roof[100:] -= 0.2
    assert look_around(sky, hole()).structure < 0.012
    assert look_around(roof, hole()).structure > 0.03
    assert 0.01 < look_around(sky, hole()).roughness < 0.03
    assert abs(look_around(sky, hole()).brightness - sky.mean()) < 0.05


def test_the_radius_is_that_of_the_largest_circle_inside():
    photo = np.full((200, 240, 3), 0.5, np.float32)
    assert 19 <= look_around(photo, hole()).radius_px <= 21
    assert look_around(photo, hole(height=4)).radius_px <= 2.5


def test_what_lies_in_the_hole_is_not_looked_at():
    photo = np.random.default_rng(0).random((200, 240, 3), np.float32)
    spoiled = photo.copy()
    spoiled[hole()] = 1
    assert look_around(photo, hole()) == look_around(spoiled, hole())


def test_a_hole_from_side_to_side_is_measured():
    photo = np.full((60, 80, 3), 0.5, np.float32)
    around = look_around(photo, hole((60, 80), 10, 0, 40, 80))
    assert np.isfinite(around.radius_px)
    assert around.hole_share > 0.6
