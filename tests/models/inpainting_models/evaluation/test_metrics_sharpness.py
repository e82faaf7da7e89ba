"""Sharpness measures on cases whose answer is known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from inpainting_models.evaluation.metrics_sharpness import (
    error_by_distance,
    fine_energy,
    gradient_ratio,
    mean_gradient,
    rim_distance,
    rings,
    sharpness_by_distance,
)

TRUTH = np.random.default_rng(2).random((128, 128, 3)).astype(np.float32)
MASK = np.zeros((128, 128), bool)
MASK[24:104, 24:104] = True


def filled(values: np.ndarray) -> np.ndarray:
    return np.where(MASK[:, :, None], values, TRUTH).astype(np.float32)


def test_a_perfect_copy_has_ratio_one_everywhere() -> None:
    assert gradient_ratio(TRUTH, TRUTH, MASK) == 1
    assert {value for value in sharpness_by_distance(TRUTH, TRUTH, MASK).values() if not math.isnan(value)} == {1}


def test_half_the_contrast_has_half_the_gradient() -> None:
    assert gradient_ratio(TRUTH, filled(0.5 + (TRUTH - 0.5) / 2), MASK) == pytest.approx(0.5, rel=1e-5)


def test_a_blur_is_far_below_one_and_noise_above() -> None:
    smooth = cv2.GaussianBlur(TRUTH, (0, 0), 3)
    assert gradient_ratio(TRUTH, filled(smooth), MASK) < 0.15
    assert gradient_ratio(smooth, filled(TRUTH), MASK) > 6


def test_fine_energy_is_the_square_of_contrast_and_a_blur_has_next_to_none() -> None:
    assert fine_energy(TRUTH, TRUTH, MASK) == 1
    assert fine_energy(TRUTH, filled(0.5 + (TRUTH - 0.5) / 2), MASK) == pytest.approx(0.25, rel=0.05)
    assert fine_energy(TRUTH, filled(cv2.GaussianBlur(TRUTH, (0, 0), 4)), MASK) < 0.05
    assert math.isnan(fine_energy(np.full_like(TRUTH, 0.5), TRUTH, MASK))


def test_the_step_at_the_rim_is_not_sharpness() -> None:
    assert gradient_ratio(TRUTH, filled(np.ones_like(TRUTH) * 9), MASK) == 0


def test_a_flat_truth_has_no_ratio() -> None:
    flat = np.full_like(TRUTH, 0.5)
    assert math.isnan(gradient_ratio(flat, TRUTH, MASK))
    assert math.isnan(mean_gradient(TRUTH, np.zeros_like(MASK)))


def test_a_ramp_has_its_slope() -> None:
    ramp = np.repeat(np.arange(128, dtype=np.float32)[None, :, None] / 255, 128, axis=0).repeat(3, axis=2)
    assert mean_gradient(ramp, MASK) == pytest.approx(1 / 255 / math.sqrt(2) * math.sqrt(2), rel=1e-4)


def test_distance_begins_at_one_and_rings_cover_the_hole_once() -> None:
    distance = rim_distance(MASK)
    assert distance[24, 60] == 1
    assert distance[63, 63] == 40
    assert (sum(ring.astype(int) for _, ring in rings(MASK)) == MASK).all()
    assert [name for name, ring in rings(MASK) if ring.any()] == ["0_2", "2_4", "4_8", "8_16", "16_32", "32_64"]


def test_error_that_grows_inwards_shows_in_its_ring() -> None:
    result = TRUTH.copy()
    far = rim_distance(MASK) > 16
    result[far] = TRUTH[far] + 0.25
    errors = error_by_distance(TRUTH, result, MASK)
    assert [round(errors[ring], 3) for ring in ("0_2", "8_16", "16_32", "32_64")] == [0, 0, 25, 25]
    assert math.isnan(errors["64_up"])


def test_a_photo_without_known_pixels_has_no_rim() -> None:
    assert np.isinf(rim_distance(np.ones((4, 4), bool))).all()
