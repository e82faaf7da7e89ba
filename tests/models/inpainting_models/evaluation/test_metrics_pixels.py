"""Pixel measures on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from inpainting_models.evaluation.metrics_pixels import (
    BEST_PSNR_DB,
    hole_l1,
    hole_psnr,
    hole_ssim,
    known_difference,
    ssim_map,
)

RNG = np.random.default_rng(1)
TRUTH = RNG.random((64, 80, 3)).astype(np.float32)
MASK = np.zeros((64, 80), bool)
MASK[20:40, 30:60] = True


def test_a_perfect_copy_has_no_error() -> None:
    assert hole_l1(TRUTH, TRUTH, MASK) == 0
    assert hole_psnr(TRUTH, TRUTH, MASK) == BEST_PSNR_DB
    assert hole_ssim(TRUTH, TRUTH, MASK) == pytest.approx(1)


def test_a_constant_error_in_the_hole_is_told_exactly() -> None:
    truth = np.full_like(TRUTH, 0.5)
    result = truth.copy()
    result[MASK] += 0.1
    assert hole_l1(truth, result, MASK) == pytest.approx(10, rel=1e-5)
    assert hole_psnr(truth, result, MASK) == pytest.approx(20, rel=1e-5)


def test_what_is_outside_the_hole_does_not_count() -> None:
    result = TRUTH.copy()
    result[~MASK] = 0
    assert hole_l1(TRUTH, result, MASK) == 0
    assert hole_psnr(TRUTH, result, MASK) == BEST_PSNR_DB


def test_ssim_is_scikit_images() -> None:
    result = np.clip(TRUTH + RNG.normal(0, 0.2, TRUTH.shape), 0, 1).astype(np.float32)
    _, full = structural_similarity(
        TRUTH.astype(float),
        result.astype(float),
        data_range=1,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    assert np.allclose(ssim_map(TRUTH, result), full.mean(axis=2), atol=1e-6)


def test_one_changed_known_pixel_is_found() -> None:
    truth = np.zeros((8, 8, 3), np.uint8)
    result = truth.copy()
    mask = np.zeros((8, 8), bool)
    mask[3:5, 3:5] = True
    result[mask] = 200
    assert known_difference(truth, result, mask) == 0
    result[0, 0, 1] = 3
    assert known_difference(truth, result, mask) == 3
    assert known_difference(truth, result, np.ones((8, 8), bool)) == 0
