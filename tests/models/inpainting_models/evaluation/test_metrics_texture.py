"""Texture distance on cases whose answer is known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from skimage import data

from inpainting_models.evaluation.metrics_sharpness import gradient_ratio
from inpainting_models.evaluation.metrics_texture import texture_distance

MASK = np.zeros((200, 200), bool)
MASK[60:140, 60:140] = True


def texture(name: str, top: int, left: int) -> np.ndarray:
    grey = getattr(data, name)()[top : top + 200, left : left + 200].astype(np.float32) / 255
    return np.repeat(grey[:, :, None], 3, axis=2)


def filled(truth: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.where(MASK[:, :, None], values, truth).astype(np.float32)


def test_a_perfect_copy_is_at_distance_zero() -> None:
    grass = texture("grass", 0, 0)
    assert texture_distance(grass, grass, MASK) == 0


@pytest.mark.parametrize("name", ["grass", "gravel", "brick"])
def test_real_texture_from_elsewhere_is_nearer_than_a_blur_with_noise(name: str) -> None:
    truth, elsewhere = texture(name, 0, 0), texture(name, 250, 200)
    blur = filled(truth, cv2.GaussianBlur(truth, (0, 0), 6))
    noise = np.random.default_rng(5).normal(0, 1, (200, 200, 1)).astype(np.float32)
    # As much noise as makes the gradient's energy right: by that measure alone it would be a success.
    levels = np.geomspace(0.002, 0.4, 120)
    ratios = [gradient_ratio(truth, filled(truth, blur + level * noise), MASK) for level in levels]
    best = int(np.argmin(np.abs(np.log(ratios))))
    noisy = filled(truth, blur + levels[best] * noise)
    assert ratios[best] == pytest.approx(1, abs=0.05)
    real = texture_distance(truth, filled(truth, elsewhere), MASK)
    assert real < 0.6 * texture_distance(truth, noisy, MASK)
    assert real < 0.5 * texture_distance(truth, blur, MASK)


def test_another_texture_is_farther_than_the_same_one() -> None:
    truth = texture("grass", 0, 0)
    same = texture_distance(truth, filled(truth, texture("grass", 250, 200)), MASK)
    other = texture_distance(truth, filled(truth, texture("brick", 250, 200)), MASK)
    assert same < 0.5 * other


def test_what_is_outside_the_hole_does_not_count_much() -> None:
    truth = texture("grass", 0, 0)
    deep = np.zeros_like(MASK)
    deep[80:120, 80:120] = True
    result = truth.copy()
    result[:20] = 0
    assert texture_distance(truth, result, deep) == pytest.approx(0, abs=1e-6)


def test_a_scratch_has_no_room_for_a_patch() -> None:
    scratch = np.zeros_like(MASK)
    scratch[:, 100:103] = True
    assert math.isnan(texture_distance(texture("grass", 0, 0), texture("grass", 9, 9), scratch))
