"""Run lengths, packed or not, become the masks that COCO's own tools make of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as cocotools

from dataset_handlers.run_lengths import decode_runs, run_lengths_mask, unpacked

MASK = st.tuples(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32), st.floats(0, 1))


@settings(max_examples=60, deadline=None)
@given(MASK)
def test_every_mask_comes_back(drawn: tuple[int, int, int, float]) -> None:
    height, width, seed, share = drawn
    mask = (np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8)
    packed = cocotools.encode(np.asfortranarray(mask))
    assert np.array_equal(run_lengths_mask(packed), mask)
    as_text = {**packed, "counts": packed["counts"].decode()}
    assert np.array_equal(run_lengths_mask(as_text), mask)
    counts = unpacked(packed["counts"])
    assert np.array_equal(run_lengths_mask({"size": [height, width], "counts": counts}), mask)


@settings(deadline=None)
@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=12))
def test_runs_of_any_length_are_read_as_theirs(runs: list[int]) -> None:
    total = sum(runs)
    if total:
        ours = decode_runs(runs, total, 1)
        theirs = cocotools.frPyObjects({"size": [total, 1], "counts": runs}, total, 1)
        assert np.array_equal(ours, cocotools.decode(theirs))
        assert np.array_equal(run_lengths_mask(theirs), ours)


@pytest.mark.parametrize(
    ("segmentation", "said"),
    [
        ({"counts": [1]}, "have a size"),
        ({"size": [2], "counts": [2]}, "have a size"),
        ({"size": [0, 5], "counts": [0]}, "0x5"),
        ({"size": [2, 2], "counts": [1, 2]}, "add up to 3, the mask of 2x2 has 4"),
        ({"size": [2, 2], "counts": [5, -1]}, "at least 0"),
        ({"size": [2, 2], "counts": [1.5, 2.5]}, "whole numbers"),
        ({"size": [2, 2], "counts": "é"}, "no character"),
        ({"size": [2, 2], "counts": "P"}, "cut off"),
    ],
)
def test_what_is_no_mask_is_refused(segmentation: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run_lengths_mask(segmentation)
