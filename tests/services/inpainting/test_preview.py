"""Previews: small, upright, and filled as far as the painter has come."""

from __future__ import annotations

import numpy as np
import pytest

from inpainting.photo import Photo
from inpainting.preview import PreviewCanvas
from inpainting_models.crops import Box

from .conftest import decoded


def canvas(height: int, width: int, dtype: type = np.uint8, channels: int = 3) -> PreviewCanvas:
    pixels = np.full((height, width, channels), np.iinfo(dtype).max // 4, dtype)
    mask = np.zeros((height, width), bool)
    mask[height // 2 :, : width // 2] = True
    return PreviewCanvas(Photo(pixels), mask)


@pytest.mark.parametrize(("dtype", "channels"), [(np.uint8, 3), (np.uint16, 3), (np.uint8, 1)])
def test_a_large_photo_becomes_small_and_its_hole_is_filled(dtype: type, channels: int) -> None:
    painted = np.ones((300, 400, 3), np.float32)
    shown = decoded(canvas(1800, 2400, dtype, channels).show(Box(0, 0, 1800, 2400), painted)).astype(int)
    assert shown.shape == (768, 1024, 3)
    assert np.abs(shown[400:750, 10:500] - 255).max() < 8
    assert np.abs(shown[:370] - 63).max() < 8
    assert np.abs(shown[400:, 530:] - 63).max() < 8


def test_a_photo_that_was_turned_for_the_model_is_turned_back() -> None:
    painted = np.zeros((200, 400, 3), np.float32)
    # Of the turned photo the left half: of the upright one the upper half.
    painted[:, :200] = 1
    mask = np.ones((800, 400), bool)
    mask[0, 0] = False
    portrait = PreviewCanvas(Photo(np.zeros((800, 400, 3), np.uint8)), mask)
    shown = decoded(portrait.show(Box(0, 0, 800, 400), painted))
    assert shown[50:350].min() > 240
    assert shown[450:750].max() < 15


def test_crops_appear_one_after_the_other() -> None:
    small = canvas(200, 200)
    first = decoded(small.show(Box(100, 0, 150, 100), np.ones((50, 100, 3), np.float32)))
    both = decoded(small.show(Box(150, 0, 200, 100), np.ones((50, 100, 3), np.float32)))
    assert first[105:145, 10:90].min() > 240 > 100 > first[155:195, 10:90].max()
    assert both[105:195, 10:90].min() > 230
