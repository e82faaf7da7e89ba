"""A foreground lies where it is laid, mixes as asked for, and leaves all else alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_handlers.operations import composite, trimap
from dataset_handlers.operations.compose import BLENDINGS, to_float, to_image


def layer(height: int, width: int, alpha: float, colour: float = 1.0) -> np.ndarray:
    values = np.full((height, width, 4), colour * alpha, np.float32)
    values[:, :, 3] = alpha
    return values


@settings(deadline=None)
@given(st.integers(-30, 40), st.integers(-30, 40), st.integers(1, 30), st.integers(1, 30))
def test_it_may_lie_anywhere(top: int, left: int, height: int, width: int) -> None:
    background = np.full((25, 35, 3), 40, np.uint8)
    image, alpha = composite(layer(height, width, 1.0), background, top, left)
    expected = np.zeros((25, 35), bool)
    expected[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)] = True
    assert np.array_equal(alpha, expected * np.uint8(255))
    assert (image[expected] == 255).all()
    assert (image[~expected] == 40).all()
    assert (background == 40).all()


def test_it_mixes_stored_values_or_light() -> None:
    black = np.zeros((1, 1, 3), np.uint8)
    assert composite(layer(1, 1, 0.5), black, 0, 0)[0].max() == 128
    # Half the light of white is stored as 188.
    assert composite(layer(1, 1, 0.5), black, 0, 0, "linear")[0].max() == 188


@pytest.mark.parametrize("blending", BLENDINGS)
def test_every_value_comes_back(blending: str) -> None:
    values = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_image(to_float(values, blending), blending), values)
    image = values.reshape(1, 256, 1).repeat(3, axis=2)
    assert np.array_equal(composite(layer(1, 256, 0.0), image, 0, 0, blending)[0], image)


def test_a_trimap_is_unknown_around_what_is_uncertain() -> None:
    alpha = np.zeros((60, 60), np.uint8)
    alpha[20:40, 20:40] = 255
    alpha[20:40, 40:42] = 100
    narrow, wide = trimap(alpha, 0), trimap(alpha, 4)
    assert set(np.unique(wide)) == {0, 128, 255}
    assert np.array_equal(narrow == 128, alpha == 100)
    assert wide[30, 36:46].tolist() == [128] * 10
    assert wide[30, 35] == 255
    assert wide[30, 46] == 0
    # Nothing is uncertain at the border of the picture itself.
    assert (trimap(np.full((9, 9), 255, np.uint8), 3) == 255).all()
    # A matte of a real photo is seldom quite white inside.
    assert (trimap(np.full((9, 9), 250, np.uint8), 3) == 255).all()
