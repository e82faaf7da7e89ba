"""Masks follow from their generator, are never empty and never too large."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_handlers.masks import FAMILIES, KINDS, make_mask


@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.integers(0, 2**32),
    st.sampled_from([*FAMILIES, "mixed"]),
    st.lists(st.sampled_from(KINDS), min_size=1, unique=True),
    st.floats(0.05, 1),
)
@settings(deadline=None)
def test_a_mask_is_white_on_black_and_within_its_bound(
    shape: tuple[int, int], seed: int, family: str, kinds: list[str], max_area: float
) -> None:
    mask = make_mask(shape, np.random.default_rng(seed), family, kinds, max_area)
    assert mask.shape == shape
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) <= {0, 255}
    hole = np.count_nonzero(mask)
    assert hole >= 1
    assert hole == 1 or hole <= max_area * mask.size


def test_the_same_generator_draws_the_same_mask() -> None:
    for seed in range(20):
        masks = [make_mask((64, 96), np.random.default_rng(seed)) for _ in range(2)]
        assert np.array_equal(*masks)


def mean_area(family: str, kind: str, side: int) -> float:
    masks = [make_mask((side, side), np.random.default_rng(seed), family, [kind]) for seed in range(150)]
    return float(np.mean([mask.mean() / 255 for mask in masks]))


@pytest.mark.parametrize("kind", ["boxes", "blobs"])
def test_thicker_families_make_larger_holes(kind: str) -> None:
    thin, medium, thick = (mean_area(family, kind, 128) for family in FAMILIES)
    assert thin < medium < thick


@pytest.mark.parametrize("family", FAMILIES)
def test_masks_scale_with_the_image(family: str) -> None:
    for kind in KINDS:
        assert mean_area(family, kind, 256) == pytest.approx(mean_area(family, kind, 512), rel=0.15)


def test_thin_strokes_are_thinner_than_thick_ones() -> None:
    def inner_radius(family: str) -> float:
        masks = [make_mask((256, 256), np.random.default_rng(seed), family, ["strokes"]) for seed in range(30)]
        return float(np.median([cv2.distanceTransform(mask, cv2.DIST_L2, 5).max() for mask in masks]))

    # Crossing strokes leave rounder holes than one stroke has.
    assert inner_radius("thin") < 20 < inner_radius("medium") < inner_radius("thick")


@pytest.mark.parametrize(("family", "kinds"), [("huge", KINDS), ("thin", ["stars"]), ("thin", [])])
def test_an_unknown_family_or_kind_is_refused(family: str, kinds: list[str]) -> None:
    with pytest.raises(ValueError, match="there are"):
        make_mask((8, 8), np.random.default_rng(0), family, kinds)
