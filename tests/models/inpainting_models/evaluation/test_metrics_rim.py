"""Rim measures on cases whose answer is known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from inpainting_models.evaluation.metrics_rim import colour_shift, seam, sharpness_step

RNG = np.random.default_rng(3)
TRUTH = (0.5 + 0.2 * (RNG.random((96, 96, 3)) - 0.5)).astype(np.float32)
MASK = np.zeros((96, 96), bool)
MASK[30:66, 30:66] = True


def filled(values: np.ndarray) -> np.ndarray:
    return np.where(MASK[:, :, None], values, TRUTH).astype(np.float32)


def test_a_perfect_copy_has_no_shift_no_step_and_no_seam() -> None:
    assert colour_shift(TRUTH, TRUTH, MASK) == 0
    assert sharpness_step(TRUTH, TRUTH, MASK) == 0
    assert seam(TRUTH, TRUTH, MASK) == 1


def test_a_tint_is_told_in_levels() -> None:
    assert colour_shift(TRUTH, filled(TRUTH + 10 / 255), MASK) == pytest.approx(10, rel=1e-4)


def test_other_texture_of_the_same_colour_is_no_tint() -> None:
    other = (0.5 + 0.2 * (RNG.random((96, 96, 3)) - 0.5)).astype(np.float32)
    assert colour_shift(TRUTH, filled(other), MASK) < 1.5
    assert seam(TRUTH, filled(other), MASK) == pytest.approx(1, abs=0.1)
    assert sharpness_step(TRUTH, filled(other), MASK) == pytest.approx(0, abs=0.1)


def test_half_as_sharp_inside_is_a_step_of_minus_one() -> None:
    assert sharpness_step(TRUTH, filled(0.5 + (TRUTH - 0.5) / 2), MASK) == pytest.approx(-1, abs=0.01)
    assert sharpness_step(TRUTH, filled(0.5 + (TRUTH - 0.5) * 2), MASK) == pytest.approx(1, abs=0.01)
    assert sharpness_step(TRUTH, filled(cv2.GaussianBlur(TRUTH, (0, 0), 3)), MASK) < -2


def test_a_step_that_the_truth_has_as_well_is_none() -> None:
    truth = filled(cv2.GaussianBlur(TRUTH, (0, 0), 2))
    assert sharpness_step(truth, truth, MASK) == 0
    assert sharpness_step(truth, TRUTH, MASK) > 1


def test_a_visible_contour_is_a_seam() -> None:
    assert seam(TRUTH, filled(TRUTH + 0.3), MASK) > 3
    assert seam(TRUTH, filled(np.full_like(TRUTH, 0.5)), MASK) < 0.9


def test_a_hole_over_everything_has_no_rim() -> None:
    everywhere = np.ones_like(MASK)
    assert math.isnan(seam(TRUTH, TRUTH, everywhere))
    assert math.isnan(colour_shift(TRUTH, TRUTH, everywhere))
    assert math.isnan(sharpness_step(TRUTH, TRUTH, everywhere))
