"""The estimate finds colours that were known beforehand, far better than the photo's own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dataset_handlers.made_photos import draw_photo
from dataset_handlers.operations import estimate_foreground

SIZE = (220, 260)


def picture(seed: int, blur: float) -> np.ndarray:
    photo = draw_photo(np.random.default_rng(seed), SIZE).astype(np.float32) / 255
    return cv2.GaussianBlur(photo, (0, 0), blur)


def hair(seed: int = 0) -> np.ndarray:
    """Returns the matte of a disc with some hundred fine hairs, soft at its rim."""
    rng = np.random.default_rng(seed)
    matte = np.zeros(SIZE, np.uint8)
    cv2.circle(matte, (130, 110), 60, 255, -1, cv2.LINE_AA)
    for turn in rng.uniform(0, 2 * np.pi, 400):
        start = (int(130 + 55 * np.cos(turn)), int(110 + 55 * np.sin(turn)))
        bent = turn + rng.uniform(-0.3, 0.3)
        length = rng.uniform(65, 95)
        end = (int(130 + length * np.cos(bent)), int(110 + length * np.sin(bent)))
        cv2.line(matte, start, end, int(rng.integers(90, 256)), 1, cv2.LINE_AA)
    return cv2.GaussianBlur(matte, (0, 0), 0.8).astype(np.float32) / 255


def psnr(image: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((image - truth)[where] ** 2)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_over_another_background_it_beats_the_photos_own_colours_by_far(seed: int) -> None:
    alpha = hair(seed)
    opaque = alpha[:, :, None]
    truth, old, new = picture(seed, 6), picture(seed + 10, 2), picture(seed + 20, 2)
    # As a photo is stored: in 8 bits.
    photo = (np.rint((opaque * truth + (1 - opaque) * old) * 255) / 255).astype(np.float32)
    wanted = opaque * truth + (1 - opaque) * new
    band = (alpha > 0.02) & (alpha < 0.98)
    assert band.mean() > 0.1
    estimated = estimate_foreground(photo, alpha)[0]
    ours = psnr(opaque * estimated + (1 - opaque) * new, wanted, band)
    naive = psnr(opaque * photo + (1 - opaque) * new, wanted, band)
    assert ours > naive + 4
    assert ours > 26


def test_what_is_certain_stays_as_it_is() -> None:
    alpha, photo = hair(), picture(4, 2)
    foreground, background = estimate_foreground(photo, alpha)
    assert foreground.shape == background.shape == photo.shape
    assert foreground.dtype == background.dtype == np.float32
    assert np.array_equal(foreground[alpha >= 1], photo[alpha >= 1])
    assert np.array_equal(background[alpha <= 0], photo[alpha <= 0])
    assert foreground.min() >= 0
    assert foreground.max() <= 1
    opaque = alpha[:, :, None]
    assert np.abs(opaque * foreground + (1 - opaque) * background - photo).mean() < 0.01


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (3, 200)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_any_size_and_any_alpha_will_do(size: tuple[int, int], value: float) -> None:
    photo = np.full((*size, 3), 0.25, np.float32)
    foreground, background = estimate_foreground(photo, np.full(size, value, np.float32))
    assert np.allclose(foreground, 0.25, atol=1e-4)
    assert np.allclose(background, 0.25, atol=1e-4)
