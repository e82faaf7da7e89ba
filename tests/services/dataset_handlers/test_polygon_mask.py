"""Polygons become the masks that COCO's own tools make of them, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as cocotools

from dataset_handlers.polygon_mask import polygons_mask

COORDINATE = st.one_of(
    st.floats(-30, 90),
    st.integers(-10, 80).map(float),
    # On and near the corners of the grid that is five times as fine.
    st.integers(-50, 400).map(lambda fifth: fifth / 5),
    st.integers(-100, 800).map(lambda tenth: tenth / 10),
)
POLYGON = st.integers(3, 12).flatmap(lambda points: st.lists(COORDINATE, min_size=2 * points, max_size=2 * points))


def theirs(polygons: list[list[float]], height: int, width: int) -> np.ndarray:
    return np.asarray(cocotools.decode(cocotools.merge(cocotools.frPyObjects(polygons, height, width))))


@settings(max_examples=150, deadline=None)
@given(st.lists(POLYGON, min_size=1, max_size=3), st.integers(1, 70), st.integers(1, 70))
def test_every_polygon_is_filled_as_theirs(polygons: list[list[float]], height: int, width: int) -> None:
    ours = polygons_mask(polygons, height, width)
    assert ours.dtype == np.uint8
    assert np.array_equal(ours, theirs(polygons, height, width))


def test_repeated_points_and_an_odd_number_are_taken_as_theirs() -> None:
    for polygon in ([5.0, 5, 5, 5, 20, 5, 20, 5, 20, 30], [5.0, 5, 20, 5, 20, 30, 7], [3.0] * 8):
        assert np.array_equal(polygons_mask([polygon], 40, 30), theirs([polygon], 40, 30))


@pytest.mark.parametrize(
    ("polygons", "said"),
    [
        ([], "no polygon"),
        ([[1.0, 2.0]], "no polygon"),
        ([[2.0, 3.0, 10.0, 5.0]], "at least 3 points"),
        ([[0, 0, 1, float("nan"), 2, 2]], "finite"),
        ([[0, 0, 1, 1, 2, "x"]], "could not convert"),
        ([[0, 0, 1e8, 0, 0, 1e8]], "too long"),
    ],
)
def test_what_is_no_polygon_is_refused(polygons: list[list[float]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        polygons_mask(polygons, 10, 10)
