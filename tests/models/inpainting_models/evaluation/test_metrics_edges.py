"""Edge continuation on cases whose answer is known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from inpainting_models.evaluation.metrics_edges import edge_continuation

SIZE = 160
MASK = np.zeros((SIZE, SIZE), bool)
MASK[50:110, 50:110] = True


def stripes(angle_degrees: float, shift_px: float = 0, period_px: float = 40) -> np.ndarray:
    """Straight, slightly soft edges, at any angle."""
    y, x = np.mgrid[:SIZE, :SIZE]
    angle = math.radians(angle_degrees)
    along = x * math.cos(angle) + y * math.sin(angle) + shift_px
    wave = np.clip(np.sin(2 * math.pi * along / period_px) * period_px / 6, -1, 1)
    return np.repeat((0.5 + 0.3 * wave)[:, :, None], 3, axis=2).astype(np.float32)


def filled(truth: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.where(MASK[:, :, None], values, truth).astype(np.float32)


@pytest.mark.parametrize("angle", [0, 17, 45, 90, 118])
def test_edges_that_go_on_count_whole(angle: float) -> None:
    truth = stripes(angle)
    assert edge_continuation(truth, truth, MASK) == 1


@pytest.mark.parametrize("angle", [0, 17, 45, 90, 118])
def test_a_flat_hole_continues_nothing(angle: float) -> None:
    truth = stripes(angle)
    assert edge_continuation(truth, filled(truth, np.full_like(truth, 0.5)), MASK) < 0.1


def test_edges_beside_their_line_do_not_count_but_a_pixel_is_forgiven() -> None:
    truth = stripes(17)
    assert edge_continuation(truth, filled(truth, stripes(17, shift_px=1)), MASK) > 0.95
    assert edge_continuation(truth, filled(truth, stripes(17, shift_px=10)), MASK) < 0.25


def test_edges_of_another_direction_or_the_other_way_round_do_not_count() -> None:
    truth = stripes(0)
    assert edge_continuation(truth, filled(truth, stripes(60)), MASK) < 0.35
    assert edge_continuation(truth, filled(truth, stripes(0, shift_px=20)), MASK) < 0.25


def test_half_the_way_is_half() -> None:
    truth = stripes(90)
    result = truth.copy()
    result[50:110, 80:110] = 0.5
    assert edge_continuation(truth, result, MASK) == pytest.approx(0.5, abs=0.08)


def test_a_strong_blur_loses_edges() -> None:
    truth = stripes(17, period_px=24)
    assert edge_continuation(truth, filled(truth, cv2.GaussianBlur(truth, (0, 0), 10)), MASK) < 0.2


def test_noise_continues_nothing() -> None:
    truth = stripes(17)
    noise = 0.5 + np.random.default_rng(4).normal(0, 0.1, truth.shape)
    assert edge_continuation(truth, filled(truth, noise), MASK) < 0.1


def test_grain_on_a_blur_continues_no_more_than_the_blur() -> None:
    truth = stripes(17, period_px=24)
    blur = cv2.GaussianBlur(truth, (0, 0), 7)
    grain = np.random.default_rng(5).normal(0, 0.08, truth.shape[:2])[:, :, None]
    alone = edge_continuation(truth, filled(truth, blur), MASK)
    assert edge_continuation(truth, filled(truth, blur + grain), MASK) < alone + 0.1


def test_where_no_edge_meets_the_rim_there_is_no_value() -> None:
    flat = np.full((SIZE, SIZE, 3), 0.5, np.float32)
    assert math.isnan(edge_continuation(flat, flat, MASK))
    inside = flat.copy()
    inside[70:90, 70:90] = 1
    assert math.isnan(edge_continuation(inside, flat, MASK))


def test_an_edge_that_ends_in_the_truth_is_not_asked_for_beyond() -> None:
    truth = np.full((SIZE, SIZE, 3), 0.3, np.float32)
    truth[:80, :80] = 0.7
    result = truth.copy()
    result[84:110, 50:110] = 0.3
    assert edge_continuation(truth, result, MASK) == 1
