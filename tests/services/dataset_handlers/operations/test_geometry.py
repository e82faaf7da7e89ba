"""Turned photos have no black corners, and mirrored ones are mirrored."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_handlers.operations import flip, random_flip, random_rotation, rotate
from dataset_handlers.operations.geometry import inscribed_size


@given(st.integers(8, 80), st.integers(8, 80), st.floats(-180, 180))
@settings(deadline=None)
def test_no_black_corner_shows(height: int, width: int, degrees: float) -> None:
    turned = rotate(np.full((height, width, 3), 255, np.uint8), degrees)
    assert (turned == 255).all()
    assert turned.shape[0] <= height
    assert turned.shape[1] <= width


@given(st.integers(50, 500), st.integers(50, 500), st.floats(-45, 45))
def test_proportions_stay_within_a_pixel(height: int, width: int, degrees: float) -> None:
    inner_height, inner_width = inscribed_size(height, width, degrees)
    assert abs(inner_width * height / width - inner_height) <= height / width + 1


def test_no_turn_leaves_the_photo_as_it_is() -> None:
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert rotate(image, 0) is image
    assert inscribed_size(40, 60, 0) == (40, 60)


def test_half_a_turn_turns_everything_round() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    turned = rotate(image, 180)
    assert np.abs(turned.astype(int) - image[::-1, ::-1]).max() <= 1


def test_the_turn_is_counter_clockwise() -> None:
    image = np.zeros((99, 99), np.uint8)
    image[10:40, 47:52] = 255  # a hand at twelve o'clock
    turned = rotate(image, 45, nearest=True)
    middle = turned.shape[0] // 2
    assert turned[middle - 16, middle - 16] == 255
    assert turned[middle - 16, middle + 16] == 0


def test_flips_and_turns_follow_from_the_generator() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    flips = [np.array_equal(random_flip(image, np.random.default_rng(seed)), flip(image)) for seed in range(200)]
    assert 70 < sum(flips) < 130
    assert np.array_equal(flip(flip(image)), image)
    same = [random_rotation(image, np.random.default_rng(3), 20) for _ in range(2)]
    assert np.array_equal(*same)
