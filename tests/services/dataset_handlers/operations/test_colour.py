"""Light and colour change within their bounds, and hue and lightness stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dataset_handlers.operations import colour_push, exposure, random_colour_push, random_exposure


def colours() -> np.ndarray:
    rng = np.random.default_rng(2)
    return rng.integers(60, 196, (40, 40, 3)).astype(np.uint8)


def lab(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def chroma(image: np.ndarray) -> np.ndarray:
    return np.hypot(*np.moveaxis(lab(image)[:, :, 1:], 2, 0))


def test_a_stop_is_a_factor_of_two() -> None:
    image = np.array([[[10, 100, 200]]], np.uint8)
    assert exposure(image, 1).tolist() == [[[20, 200, 255]]]
    assert exposure(image, -1).tolist() == [[[5, 50, 100]]]
    assert exposure(image, 0) is image


def test_a_push_makes_colours_stronger_and_a_pull_weaker() -> None:
    image = colours()
    assert chroma(colour_push(image, 0.5)).mean() > 1.2 * chroma(image).mean()
    assert chroma(colour_push(image, -0.5)).mean() == pytest.approx(0.5 * chroma(image).mean(), rel=0.1)
    assert chroma(colour_push(image, -1)).max() < 3
    assert colour_push(image, 0) is image


def test_lightness_and_hue_stay() -> None:
    image = colours()
    before, after = lab(image), lab(colour_push(image, 0.3))
    unclipped = (colour_push(image, 0.3) > 0).all(axis=2) & (colour_push(image, 0.3) < 255).all(axis=2)
    assert np.abs(before[:, :, 0] - after[:, :, 0])[unclipped].max() < 3
    strong = unclipped & (chroma(image) > 15)
    angles = [np.arctan2(value[:, :, 2], value[:, :, 1])[strong] for value in (before, after)]
    turn = np.abs(np.angle(np.exp(1j * (angles[0] - angles[1]))))
    assert np.degrees(turn).max() < 8


def test_dull_colours_gain_more_than_strong_ones() -> None:
    dull, strong = np.full((1, 1, 3), (130, 120, 120), np.uint8), np.full((1, 1, 3), (200, 60, 60), np.uint8)
    gains = [float((chroma(colour_push(image, 0.6)) / chroma(image))[0, 0]) for image in (dull, strong)]
    assert gains[0] > gains[1] > 1


def test_grey_stays_grey() -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert np.abs(colour_push(grey, 1).astype(int) - grey).max() <= 2


def test_an_amount_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="is not from -1 to 1"):
        colour_push(colours(), 1.5)


def test_random_changes_are_bounded_and_follow_from_the_generator() -> None:
    image = colours()
    for change in (random_exposure, random_colour_push):
        assert np.array_equal(
            change(image, np.random.default_rng(1), 0.5), change(image, np.random.default_rng(1), 0.5)
        )
    means = [random_exposure(image, np.random.default_rng(seed), 0.5).mean() / image.mean() for seed in range(100)]
    assert 2**-0.51 < min(means) < 0.8
    assert 1.2 < max(means) < 2**0.51
